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
  "aim.silent": ["Đưa mã vào khung. Chạm để bật tiếng.", "Hold the code in the frame. Tap for sound."],
  "aim.offline": [
    "Mất mạng: mã được xét theo luật và danh sách trên máy.",
    "No network: codes are judged by the rules and lists on this device.",
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

  "repair.aim": ["Đưa mã trên thẻ CCCD vào khung", "Hold the code on the CCCD card in the frame"],
  "repair.not_card": ["Đây không phải mã trên thẻ CCCD. Đưa thẻ lại gần, hoặc gõ tay.", "This is not the code of a CCCD card. Hold the card closer, or type."],
  "repair.read": ["Đã đọc thẻ. So với mặt thẻ, chọn lý do rồi xác nhận.", "Card read. Compare with its face, choose the reason, then confirm."],
  "repair.asking": ["Đang lưu và kiểm tra lại…", "Saving, and checking again…"],
  "repair.no_reason": ["Chọn lý do.", "Choose the reason."],
  "repair.offline": [
    "Mất mạng: chưa lưu gì. So giấy tờ bằng mắt, hoặc thử lại khi có mạng.",
    "No network: nothing was saved. Compare by eye, or try again with a network.",
  ],
  "repair.failed": [
    "Máy chủ chưa trả lời. Bấm lại: lưu hai lần vẫn là một.",
    "The server did not answer. Press again: saved twice is saved once.",
  ],
  "repair.needs_network": [
    "Sửa tờ khai cần có mạng; lúc này chỉ so giấy tờ bằng mắt.",
    "A repair needs a network; for now compare the documents by eye.",
  ],
  "repair.done.matched": ["Đã sửa; khớp dữ liệu dân cư.", "Put right; the register says the same."],
  "repair.done.vouched": ["Đã ghi: bạn xác nhận người này.", "Recorded: you vouch for this person."],
  "repair.changed": ["{0}: {1} → {2}.", "{0}: {1} → {2}."],
  "repair.field.document.number": ["Số giấy tờ", "Document number"],
  "repair.field.name": ["Họ tên", "Name"],
  "repair.field.birth_date": ["Ngày sinh", "Birth date"],
  "repair.field.sex": ["Giới tính", "Sex"],
  "repair.sex.male": ["nam", "male"],
  "repair.sex.female": ["nữ", "female"],
  "repair.sex.other": ["khác", "other"],

  "certificate.aim": ["Quét mã trên giấy chứng nhận", "Scan the code on the certificate"],
  "permit.aim": ["Quét mã trên giấy đi đường", "Scan the code on the permit"],
  "paper.same": ["Đó là mã vừa quét. Quét giấy kèm theo.", "That is the code just scanned. Scan the other paper."],
  "paper.ours": [
    "Đó là mã Một Mã. Quét giấy kèm theo; kiểm tra người khác thì bấm Quay lại.",
    "That is a Một Mã code. Scan the paper; to check another person, press Back.",
  ],

  "person.no_number": ["không có số", "no number"],
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
  "unknown.look": ["Kiểm tra giấy tờ bằng mắt.", "Check the documents by hand."],
  "unknown.unrecorded": ["Chưa ghi nhận: có mạng thì bấm Thử lại.", "Not recorded: with a network, try again."],
  "away.offline": ["Mất mạng.", "No network."],
  "away.slow": ["Máy chủ không trả lời kịp.", "The server did not answer in time."],
  "away.server": ["Máy chủ đang trục trặc.", "The server has a fault."],
  "away.garbled": ["Máy chủ trả lời lạ.", "The server's answer makes no sense."],

  "says.valid": ["Mã: chữ ký đúng, hạn đến {0}.", "The code: signature right, valid until {0}."],
  "says.not_yet": ["Mã: chữ ký đúng, dùng được từ {0}.", "The code: signature right, valid from {0}."],
  "says.expired": ["Mã: chữ ký đúng, đã hết hạn lúc {0}.", "The code: signature right, expired at {0}."],
  "says.pending": ["Lúc cấp còn chờ đối soát dữ liệu dân cư.", "When issued, it waited for the population register."],
  "says.worth_manual": ["Lúc cấp, người này cần được hỏi thêm.", "When issued, this person was to be asked further."],
  "says.worth_reject": ["Lúc cấp, người này không được qua.", "When issued, this person was not to pass."],
  "says.unrevoked": ["Không nằm trong danh sách thu hồi.", "It is not on the list of revoked codes."],
  "says.valid_then": ["Chưa bị thu hồi, theo danh sách tải {0}.", "Not revoked, by the list fetched {0}."],
  "says.check_again": [
    "Có thông tin mới về người này; chỉ máy chủ biết.",
    "There is news of this person that only the server knows.",
  ],
  "says.was_revoked": ["Mã đã bị thu hồi, theo danh sách nay đã hết hạn.", "Revoked, by a list that has expired."],
  "says.was_suspended": ["Mã bị tạm ngưng, theo danh sách nay đã hết hạn.", "Suspended, by a list that has expired."],
  "says.keys_expired": [
    "Danh sách khóa trên máy đã hết hạn. Kết nối mạng để tải bản mới.",
    "The list of keys on this device has expired. Connect to fetch a new one.",
  ],
  "judged.all": ["Xét theo luật và danh sách trên máy, tải {0}.", "Judged by the rules and lists on this device, fetched {0}."],
  "judged.rules": ["Xét theo luật trên máy, tải {0}.", "Judged by the rules on this device, fetched {0}."],
  "ages.both": ["Danh sách trên máy tải {0}.", "Lists on this device fetched {0}."],
  "ages.status": ["Danh sách thu hồi tải {0}.", "List of revoked codes fetched {0}."],
  "ages.keys": ["Danh sách khóa tải {0}.", "List of keys fetched {0}."],
  "ago.now": ["vừa xong", "just now"],
  "ago.minutes": ["{0}\u00a0phút trước", "{0}\u00a0min ago"],
  "ago.hours": ["{0}\u00a0giờ trước", "{0}\u00a0h ago"],
  "ago.days": ["{0}\u00a0ngày trước", "{0}\u00a0days ago"],

  // What speaks against a code, in the words of core/reasons.py: the server would say the same.
  "code.oversized": ["Chữ trong mã dài quá mức.", "The text is too long to be a code."],
  "code.not_base45": [
    "Không phải mã Một Mã, hoặc đọc sai chữ hoa, chữ thường.",
    "Not a Một Mã code, or read with the wrong letters.",
  ],
  "code.not_zlib": ["Mã bị hỏng, hoặc không phải mã Một Mã.", "Damaged, or not a Một Mã code."],
  "code.bomb": ["Mã phình ra quá mức; có thể là mã phá hoại.", "It inflates too far; maybe made to harm."],
  "code.not_ours": ["Không phải mã Một Mã.", "Not a Một Mã code."],
  "code.algorithm": ["Mã ký bằng cách không được chấp nhận.", "Signed in a way that is not accepted."],
  "code.no_kid": ["Mã không ghi khóa đã ký.", "It does not say which key signed it."],
  "code.unknown_key": ["Chưa biết nơi ký mã này.", "The signer of this code is not known here."],
  "code.forged": ["Mã đã bị sửa hoặc làm giả.", "The code has been altered or forged."],
  "code.revoked_key": ["Khóa ký mã này đã bị thu hồi.", "The key that signed this code has been revoked."],
  "code.revoked_key.cure": [
    "So giấy tờ; mời người ấy lấy mã mới trên trang Một Mã.",
    "Compare the document; ask them to get a new code on the Một Mã page.",
  ],
  "code.not_cbor": ["Nội dung mã bị hỏng khi cấp.", "The content was damaged when it was issued."],
  "code.too_deep": ["Nội dung mã lồng quá sâu.", "The content is nested too deep."],
  "code.key_twice": ["Nội dung mã ghi một mục hai lần.", "The content says one thing twice."],
  "code.malformed": ["Nội dung mã không đúng quy cách.", "The content is not to the specification."],
  "code.number": ["Mã có số ngoài giới hạn.", "A number in the code is out of range."],
  "code.times": ["Giờ ghi trong mã không hợp lệ.", "The times in the code make no sense."],
  "code.wrong_issuer": ["Nơi ký mạo danh nơi khác.", "The signer speaks for somebody else."],
  "code.out_of_scope": ["Nơi ký không có quyền cấp mã này.", "The signer may not issue this code."],
  "code.key_out_of_time": ["Mã được ký khi khóa không còn hiệu lực.", "Signed when the key was not in force."],
  "code.proof_forged": ["Phần chứng thực trực tiếp không đúng.", "The live proof is wrong."],
  "standing.revoked": ["Mã đã bị thu hồi.", "The code has been revoked."],
  "standing.revoked.cure": ["Mời sang bàn hỗ trợ.", "Ask the person to the help desk."],
  "standing.suspended": ["Mã đang bị tạm ngưng.", "The code is suspended."],
  "standing.suspended.cure": [
    "Mời người cùng giấy tờ sang bàn hỗ trợ.",
    "Take the person and the document to the help desk.",
  ],
  "cure.help_desk": ["Mời người cùng giấy tờ sang bàn hỗ trợ.", "Take the person and the document to the help desk."],

  // Why a list is not taken, or says nothing: the codes of status.js and trust.js.
  "status.missing": [
    "Không biết có bị thu hồi không: máy chưa có danh sách.",
    "Whether it was revoked is not known: there is no list here.",
  ],
  "status.elsewhere": [
    "Không biết có bị thu hồi không: mã do nơi khác cấp.",
    "Whether it was revoked is not known: issued elsewhere.",
  ],
  "status.unreadable": ["Danh sách thu hồi tải về bị hỏng.", "The list of revoked codes came damaged."],
  "status.wrong_type": ["Thứ tải về không phải danh sách thu hồi.", "What came is no list of revoked codes."],
  "status.wrong_uri": ["Danh sách thu hồi tải về là của loạt mã khác.", "The list that came is about other codes."],
  "status.key_out_of_time": [
    "Danh sách thu hồi được ký khi khóa không còn hiệu lực.",
    "The list of revoked codes was signed when its key was not in force.",
  ],
  "status.unknown_key": [
    "Danh sách thu hồi do một khóa chưa biết ký.",
    "The list of revoked codes is signed by an unknown key.",
  ],
  "status.forged": [
    "Danh sách thu hồi đã bị sửa hoặc làm giả, nên không dùng.",
    "The list of revoked codes was altered or forged, and is not used.",
  ],
  "status.revoked_key": [
    "Danh sách thu hồi do một khóa đã bị thu hồi ký, nên không dùng.",
    "The list of revoked codes is signed by a key that was revoked, and is not used.",
  ],
  "status.wrong_issuer": [
    "Danh sách thu hồi do nơi khác ký, không có quyền với mã này.",
    "The list of revoked codes is signed by another issuer, who has no say over this code.",
  ],
  "status.expired": [
    "Không biết có bị thu hồi không: danh sách đã hết hạn.",
    "Whether it was revoked is not known: the list has expired.",
  ],
  "status.not_yet": [
    "Danh sách thu hồi ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
    "The list of revoked codes is dated in the future. Check this device's clock.",
  ],
  "status.rolled_back": [
    "Danh sách thu hồi mới tải cũ hơn bản đang có; giữ bản đang có.",
    "The list of revoked codes that came is older than the one at hand, which is kept.",
  ],
  "status.shrunk": [
    "Danh sách thu hồi mới tải ngắn hơn bản đang có; giữ bản đang có.",
    "The list of revoked codes that came is shorter than the one at hand, which is kept.",
  ],
  "trustlist.none": [
    "Máy này chưa có danh sách khóa, nên chưa đọc được mã khi mất mạng.",
    "This device has no list of keys yet, so it cannot read codes without a network.",
  ],
  "trustlist.mixed": [
    "Không biết có bị thu hồi không: danh sách trên máy quá cũ.",
    "Whether it was revoked is not known: the list here is too old.",
  ],
  "trustlist.too_large": [
    "Danh sách khóa tải về quá lớn; giữ bản đang có.",
    "The list of keys that came is too large; the one at hand is kept.",
  ],
  "trustlist.wrong_type": [
    "Thứ tải về không phải danh sách khóa; giữ bản đang có.",
    "What came is no list of keys; the one at hand is kept.",
  ],
  "trustlist.unreadable": [
    "Danh sách khóa bị hỏng. Nếu còn lặp lại, báo trực ban.",
    "The list of keys is damaged. If it stays so, tell the operator.",
  ],
  "trustlist.unknown_root": [
    "Danh sách khóa do một khóa gốc lạ ký; giữ bản đang có. Báo trực ban để đăng ký lại máy.",
    "The list of keys is signed by a root unknown here; the one at hand is kept. Ask the operator to enrol this device anew.",
  ],
  "trustlist.forged": [
    "Danh sách khóa tải về đã bị sửa hoặc làm giả; giữ bản đang có. Báo trực ban.",
    "The list of keys that came was altered or forged; the one at hand is kept. Tell the operator.",
  ],
  "trustlist.stripped_root": [
    "Danh sách khóa tải về thiếu khóa gốc đã ký nó; giữ bản đang có. Báo trực ban.",
    "The list of keys that came leaves out the root that signed it; the one at hand is kept. Tell the operator.",
  ],
  "trustlist.wrong_issuer": [
    "Danh sách khóa tải về của cơ quan khác; giữ bản đang có. Báo trực ban.",
    "The list of keys that came is that of another authority; the one at hand is kept. Tell the operator.",
  ],
  "trustlist.rolled_back": [
    "Danh sách khóa tải về cũ hơn bản đang có; giữ bản đang có.",
    "The list of keys that came is older than the one at hand, which is kept.",
  ],
  "trustlist.fast_forward": [
    "Số bản của danh sách khóa nhảy quá xa; giữ bản đang có. Báo trực ban.",
    "The version of the list of keys leaps too far; the one at hand is kept. Tell the operator.",
  ],
  "trustlist.unrevoked": [
    "Danh sách khóa tải về bỏ quên một khóa đã bị thu hồi; giữ bản đang có. Báo trực ban.",
    "The list of keys that came forgets a revoked key; the one at hand is kept. Tell the operator.",
  ],
  "trustlist.expired": [
    "Danh sách khóa tải về đã hết hạn; giữ bản đang có. Xem lại đồng hồ của máy.",
    "The list of keys that came has expired; the one at hand is kept. Check this device's clock.",
  ],
  "trustlist.not_yet": [
    "Danh sách khóa ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
    "The list of keys is dated in the future. Check this device's clock.",
  ],

  // Why rules are not taken, or not judged by: the codes of bundle.js.
  "bundle.over": [
    "Bộ luật trên máy đã hết hạn. Kết nối mạng để tải bản mới.",
    "The rules on this device have expired. Connect to fetch new ones.",
  ],
  "bundle.revoked_root": [
    "Bộ luật trên máy do một khóa gốc đã bị thu hồi ký, nên không dùng. Báo trực ban.",
    "The rules on this device are signed by a root that was revoked, and are not used. Tell the operator.",
  ],
  "bundle.too_large": [
    "Bộ luật tải về quá lớn; giữ bản đang có.",
    "The rules that came are too large; those at hand are kept.",
  ],
  "bundle.wrong_type": [
    "Thứ tải về không phải bộ luật; giữ bản đang có.",
    "What came are no rules; those at hand are kept.",
  ],
  "bundle.unreadable": [
    "Bộ luật bị hỏng. Nếu còn lặp lại, báo trực ban.",
    "The rules are damaged. If it stays so, tell the operator.",
  ],
  "bundle.unknown_root": [
    "Bộ luật do một khóa gốc lạ ký; giữ bản đang có. Báo trực ban để đăng ký lại máy.",
    "The rules are signed by a root unknown here; those at hand are kept. Ask the operator to enrol this device anew.",
  ],
  "bundle.forged": [
    "Bộ luật tải về đã bị sửa hoặc làm giả; giữ bản đang có. Báo trực ban.",
    "The rules that came were altered or forged; those at hand are kept. Tell the operator.",
  ],
  "bundle.wrong_issuer": [
    "Bộ luật tải về của cơ quan khác; giữ bản đang có. Báo trực ban.",
    "The rules that came are those of another authority; those at hand are kept. Tell the operator.",
  ],
  "bundle.elsewhere": [
    "Bộ luật tải về là của chốt khác; giữ bản đang có. Báo trực ban để đăng ký lại máy.",
    "The rules that came are for another checkpoint; those at hand are kept. Ask the operator to enrol this device anew.",
  ],
  "bundle.rolled_back": [
    "Bộ luật tải về cũ hơn bản đang có; giữ bản đang có.",
    "The rules that came are older than those at hand, which are kept.",
  ],
  "bundle.fast_forward": [
    "Số bản của bộ luật nhảy quá xa; giữ bản đang có. Báo trực ban.",
    "The version of the rules leaps too far; those at hand are kept. Tell the operator.",
  ],
  "bundle.expired": [
    "Bộ luật tải về đã hết hạn; giữ bản đang có. Xem lại đồng hồ của máy.",
    "The rules that came have expired; those at hand are kept. Check this device's clock.",
  ],
  "bundle.not_yet": [
    "Bộ luật ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
    "The rules are dated in the future. Check this device's clock.",
  ],

  "signed_out": ["Ca trực đã kết thúc.", "The shift has ended."],
  "signed_out.cure": ["Đăng nhập lại để kiểm tra tiếp.", "Sign in again to go on checking."],

  "action.next": ["Người tiếp theo", "Next person"],
  "action.repair": ["Đúng người", "Right person"],
  "action.certificate": ["Quét giấy chứng nhận", "Scan certificate"],
  "action.permit": ["Quét giấy đi đường", "Scan permit"],
  "action.retry": ["Thử lại", "Try again"],
  "action.sign_in": ["Đăng nhập lại", "Sign in again"],
};

/** `say(key, …)` in `lang` ("vi" or "en"; anything else gets Vietnamese). */
export function sayIn(lang) {
  const which = lang === "en" ? 1 : 0;
  return (key, ...values) => WORDS[key][which].replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** How long ago something happened on this device, as people say it. */
export function agoWords(say, agoMs) {
  const minutes = Math.floor(Math.max(0, agoMs) / 60_000);
  if (minutes < 1) return say("ago.now");
  if (minutes < 60) return say("ago.minutes", minutes);
  return minutes < 48 * 60 ? say("ago.hours", Math.floor(minutes / 60)) : say("ago.days", Math.floor(minutes / 1440));
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
