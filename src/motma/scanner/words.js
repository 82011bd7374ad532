// What the page says by script, in both languages. `{0}` is filled in.

const WORDS = {
  "online": ["Trực tuyến", "Online"],
  "offline": ["Mất mạng", "Offline"],
  "connecting": ["Đang kết nối", "Connecting"],
  "contact.now": ["vừa liên lạc", "contact just now"],
  "contact.seconds": ["liên lạc {0} giây trước", "last contact {0} s ago"],
  "contact.minutes": ["liên lạc {0} phút trước", "last contact {0} min ago"],
  "contact.hours": ["liên lạc {0} giờ trước", "last contact {0} h ago"],
  "contact.never": ["chưa liên lạc được", "no contact yet"],

  "camera.ask.title": ["Bật camera để quét", "Turn on the camera to scan"],
  "camera.ask.text": [
    "Máy sẽ hỏi quyền dùng camera. Hình không được lưu, không rời máy này.",
    "You will be asked for permission. Pictures are not kept and never leave this device.",
  ],
  "camera.ask.button": ["Bật camera", "Turn on camera"],
  "camera.starting.title": ["Đang mở camera…", "Opening the camera…"],
  "camera.starting.text": ["Nếu máy hỏi, chọn Cho phép.", "If you are asked, choose Allow."],
  "camera.refused.title": ["Camera đang bị chặn", "The camera is blocked"],
  "camera.refused.text": [
    "Bấm biểu tượng bên trái địa chỉ trang, cho phép Camera, rồi bấm Thử lại. Hoặc nhập số, chọn ảnh, dùng đầu đọc cầm tay.",
    "Tap the icon left of the page's address, allow Camera, then Try again. Or enter the number, pick a picture, use a hand scanner.",
  ],
  "camera.none.title": ["Máy này không có camera", "This device has no camera"],
  "camera.none.text": [
    "Nhập số, chọn ảnh, hoặc dùng đầu đọc cầm tay.",
    "Enter the number, pick a picture, or use a hand scanner.",
  ],
  "camera.insecure.title": ["Camera cần kết nối https", "The camera needs https"],
  "camera.insecure.text": [
    "Mở trang bằng địa chỉ bắt đầu với https. Nhập số, ảnh và đầu đọc vẫn dùng được.",
    "Open the page at an address that starts with https. Number, picture and hand scanner still work.",
  ],
  "camera.busy.title": ["Không mở được camera", "The camera does not open"],
  "camera.busy.text": [
    "Đóng ứng dụng khác đang dùng camera, rồi thử lại.",
    "Close other apps that use the camera, then try again.",
  ],
  "camera.again": ["Thử lại", "Try again"],
  "aim.silent": ["Đưa mã vào khung · chạm để bật tiếng", "Hold the code in the frame · tap for sound"],
  "aim.offline": [
    "Mất mạng: chưa kiểm tra được mã. Kiểm tra giấy tờ bằng mắt.",
    "No network: codes cannot be checked. Check the documents by hand.",
  ],
  "aim": ["Đưa mã vào khung", "Hold the code in the frame"],

  "asking": ["Đã đọc mã, đang kiểm tra…", "Code read, checking…"],
  "asking.slow": ["Mạng chậm, đang thử lại…", "Slow network, trying again…"],
  "picture.reading": ["Đang đọc ảnh…", "Reading the picture…"],
  "picture.none": [
    "Không thấy mã trong ảnh. Chụp gần hơn, đủ bốn góc, không lóa.",
    "No code in the picture. Take it closer, all four corners, no glare.",
  ],
  "picture.unreadable": ["Không mở được ảnh này. Chọn ảnh khác.", "This picture does not open. Pick another."],
  "reader.failed": [
    "Bộ đọc mã không chạy được. Tải lại trang; trong lúc chờ, nhập số.",
    "The code reader does not start. Reload the page; meanwhile, enter the number.",
  ],
  "wedge.composed": [
    "Bộ gõ tiếng Việt đã làm sai mã. Tắt bộ gõ rồi quét lại.",
    "The Vietnamese input method garbled the code. Turn it off and scan again.",
  ],
  "torch.on": ["Tắt đèn", "Light off"],
  "torch.off": ["Đèn", "Light"],

  "pad.left": ["Còn {0} số", "{0} digits to go"],
  "pad.ready": ["Đủ 18 số", "All 18 digits"],
  "pad.check_digit": ["Có số gõ nhầm. Đọc lại từng nhóm.", "A digit is mistyped. Read it again."],

  "plate.asking": ["Đang tìm…", "Looking…"],
  "plate.pick": ["Chọn người đang đứng trước bạn.", "Pick the person in front of you."],
  "plate.nobody": [
    "Không có tờ khai còn hạn nào ghi biển số này. Xem lại biển số, hoặc nhập mã số.",
    "No declaration in force names this plate. Look at the plate again, or enter the number.",
  ],
  "plate.malformed": ["Biển số chưa đúng. Ví dụ: 59-X3 123.45.", "The plate is not right. Example: 59-X3 123.45."],
  "plate.too_often": [
    "Tra biển số quá nhiều lần. Đợi vài phút, hoặc nhập mã số.",
    "Too many look-ups. Wait a few minutes, or enter the number.",
  ],
  "plate.failed": ["Không hỏi được máy chủ. Thử lại, hoặc xem giấy tờ.", "The server cannot be reached. Try again, or see the documents."],

  "word.go": ["ĐƯỢC|QUA", "GO"],
  "word.check": ["KIỂM|TRA", "CHECK"],
  "word.next": ["SANG CHỐT|KẾ TIẾP", "NEXT|CHECKPOINT"],
  "word.stop": ["KHÔNG|QUA", "STOP"],
  "word.unknown": ["CHƯA|RÕ", "NOT|KNOWN"],

  "person.born": ["sinh {0}", "born {0}"],
  "live.live": ["Mã trực tiếp", "Live code"],
  "live.static": ["Mã tĩnh (ảnh hoặc bản in)", "Static code (picture or print)"],
  "live.stale": ["Mã trực tiếp đã cũ", "Live code, but old"],
  "until": ["Hạn đến {0}", "Valid until {0}"],
  "refer.to": ["Đi tiếp đến {0}", "Go on to {0}"],
  "refer.metres": ["cách {0} m", "{0} m away"],
  "refer.kilometres": ["cách {0} km", "{0} km away"],
  "more": ["Còn lý do khác", "Further reasons"],

  "unknown.offline": ["Không hỏi được máy chủ: mất mạng.", "The server cannot be reached: no network."],
  "unknown.slow": ["Máy chủ không trả lời kịp.", "The server did not answer in time."],
  "unknown.server": ["Máy chủ đang trục trặc.", "The server has a fault."],
  "unknown.garbled": [
    "Nhận được câu trả lời lạ. Có thể mạng này đòi đăng nhập.",
    "The answer makes no sense. This network may want a log-in.",
  ],
  "unknown.refused": ["Máy chủ không nhận lượt quét này.", "The server did not take this scan."],
  "unknown.refused.cure": ["Kiểm tra giấy tờ bằng mắt.", "Check the documents by hand."],
  "unknown.cure": [
    "Kiểm tra giấy tờ bằng mắt. Lượt này có thể chưa được ghi; có mạng thì bấm Thử lại.",
    "Check the documents by hand. This scan may not be recorded; try again when there is a network.",
  ],
  "says.valid": [
    "Mã: chữ ký đúng, hạn đến {0}. Chưa biết có bị thu hồi không.",
    "The code: signature right, valid until {0}. Whether it was revoked is not known.",
  ],
  "says.not_yet": ["Mã: chữ ký đúng, dùng được từ {0}.", "The code: signature right, valid from {0}."],
  "says.expired": ["Mã: chữ ký đúng, đã hết hạn lúc {0}.", "The code: signature right, expired at {0}."],
  "says.forged": [
    "Mã: chữ ký sai, có thể đã bị sửa hoặc làm giả.",
    "The code: signature wrong; it may have been altered or forged.",
  ],
  "says.stale": ["Danh sách khóa trên máy này đã cũ.", "The list of keys on this device is old."],
  "signed_out": ["Ca trực đã kết thúc.", "The shift has ended."],
  "signed_out.cure": ["Đăng nhập lại để kiểm tra tiếp.", "Sign in again to go on checking."],

  "action.next": ["Người tiếp theo", "Next person"],
  "action.retry": ["Thử lại", "Try again"],
  "action.sign_in": ["Đăng nhập lại", "Sign in again"],
};

/** `say(key, …)` in `lang` ("vi" or "en"; anything else gets Vietnamese). */
export function sayIn(lang) {
  const which = lang === "en" ? 1 : 0;
  return (key, ...values) => WORDS[key][which].replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** How long ago the server last answered, as people say it. */
export function contactWords(say, agoMs, isOnline) {
  if (agoMs === null) return say("contact.never");
  const seconds = Math.max(0, Math.floor(agoMs / 1000));
  if (seconds < 10 && isOnline) return say("contact.now");
  if (seconds < 60) return say("contact.seconds", Math.max(10, Math.floor(seconds / 10) * 10));
  if (seconds < 3600) return say("contact.minutes", Math.floor(seconds / 60));
  return say("contact.hours", Math.floor(seconds / 3600));
}
