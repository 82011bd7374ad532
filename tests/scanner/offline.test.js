import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { viewOf } from "../../src/motma/scanner/verdict.js";
import { agoWords, sayIn } from "../../src/motma/scanner/words.js";

const MINUTE = 60_000;
const CODE = {
  ...{ name: "Tạ Văn Thành", last_four: "3999", birth_date: "1976-02-04" },
  ...{ when: "valid", validFrom: 1_768_719_600_000, validUntil: 1_768_978_800_000, live: "static", worth: "accept", matched: true },
};
const STATUS = { said: "valid", code: null, refused: null, ageMs: 2 * MINUTE, isStale: false };
const KEYS = { ageMs: 2 * MINUTE, isStale: false, refused: null };
const UNRECORDED = "Chưa ghi nhận: có mạng thì bấm Thử lại.";
const none = (problem, keys = KEYS) => ({ problem, code: null, status: null, keys });
const about = (status = {}, code = {}, keys = {}) => ({
  ...{ problem: null, code: { ...CODE, ...code }, status: { ...STATUS, ...status }, keys: { ...KEYS, ...keys } },
});
const view = (says, lang = "vi") => viewOf({ kind: "unknown", why: "offline", says }, lang, { timeZone: "Asia/Ho_Chi_Minh" });

test("a good code that no list speaks against: still not known, with name, signature, list and age", () => {
  const shown = view(about());
  assert.deepEqual([shown.tone, shown.word, shown.action], ["unknown", ["CHƯA", "RÕ"], "retry"]);
  assert.deepEqual([shown.name, shown.about, shown.live], ["Tạ Văn Thành", ["•••• 3999", "04/02/1976"], "Mã tĩnh (ảnh hoặc bản in)"]);
  assert.equal(
    shown.reason,
    "Mất mạng. Mã: chữ ký đúng, hạn đến 14:00 ngày 21/01. Không nằm trong danh sách thu hồi.",
  );
  assert.equal(shown.cure, "Kiểm tra giấy tờ bằng mắt.");
  assert.equal(shown.note, `Danh sách trên máy tải 2\u00a0phút trước. ${UNRECORDED}`);
  assert.match(view(about({}, { when: "expired" }), "en").reason, /signature right, expired at 14:00 on 21\/01/);
});

test("revoked is known, also offline: stopped in the server's words, by a list that is said to be so old", () => {
  const shown = view(about({ said: "revoked", isStale: true, ageMs: 125 * MINUTE }, {}, { ageMs: 125 * MINUTE }));
  assert.deepEqual([shown.tone, shown.word, shown.name], ["stop", ["KHÔNG", "QUA"], "Tạ Văn Thành"]);
  assert.equal(shown.reason, "Mã đã bị thu hồi.");
  assert.equal(shown.cure, "Mời sang bàn hỗ trợ.");
  assert.equal(shown.note, `Mất mạng. Danh sách trên máy tải 2\u00a0giờ trước. ${UNRECORDED}`);
});

test("a forgery is known, and names nobody", () => {
  for (const code of ["code.forged", "code.wrong_issuer"]) {
    const shown = view(none(code));
    assert.deepEqual([shown.tone, shown.name, shown.about, shown.live], ["stop", null, null, null]);
    assert.match(shown.cure, /bàn hỗ trợ/);
  }
  assert.equal(view(none("code.forged")).reason, "Mã đã bị sửa hoặc làm giả.");
});

test("everything else stays not known, and says why", () => {
  const sentences = {
    "Mã đang bị tạm ngưng.": about({ said: "suspended" }),
    "chỉ máy chủ biết": about({ said: "check_again" }),
    "Không biết có bị thu hồi không: máy chưa có danh sách.": about({ said: null, code: "status.missing", ageMs: null }),
    "Chưa bị thu hồi, theo danh sách tải 3\u00a0giờ trước.": about({ isStale: true, ageMs: 180 * MINUTE }, {}, { ageMs: 180 * MINUTE }),
    "Mã đã bị thu hồi, theo danh sách nay đã hết hạn.": about({ said: "revoked", code: "status.expired", isStale: true }),
    "mã do nơi khác cấp": about({ said: null, code: "status.elsewhere", ageMs: null }),
    "danh sách trên máy quá cũ": about({ said: null, code: "trustlist.mixed" }),
    "Lúc cấp, người này không được qua.": about({}, { worth: "reject" }),
    "Lúc cấp còn chờ đối soát": about({}, { worth: "manual", matched: false }),
    "Khóa ký mã này đã bị thu hồi.": none("code.revoked_key"),
    "Chưa biết nơi ký mã này.": none("code.unknown_key"),
    "Phần chứng thực trực tiếp không đúng.": none("code.proof_forged"),
    "chưa có danh sách khóa": none("trustlist.none", { ageMs: null, isStale: false, refused: null }),
  };
  for (const [sentence, says] of Object.entries(sentences)) {
    const shown = view(says);
    assert.equal(shown.tone, "unknown", sentence);
    assert.ok(shown.reason.startsWith("Mất mạng. ") && shown.reason.includes(sentence), shown.reason);
    assert.ok(shown.cure && !shown.reason.includes("undefined"));
  }
  assert.match(view(about({ said: "suspended" })).cure, /bàn hỗ trợ/);
  assert.match(view(about({ said: "revoked", code: "status.expired" })).cure, /bàn hỗ trợ/);
});

test("what is the matter with the lists is said in small type, once", () => {
  const shown = view(about({ refused: "status.rolled_back", ageMs: 9 * MINUTE }, {}, { isStale: true, refused: "trustlist.unrevoked" }));
  assert.equal(
    shown.note,
    "Danh sách thu hồi tải 9\u00a0phút trước. Danh sách khóa tải 2\u00a0phút trước. Danh sách khóa trên máy đã hết hạn. " +
      "Kết nối mạng để tải bản mới. Danh sách khóa tải về bỏ quên một khóa đã bị thu hồi; giữ bản đang có. Báo trực ban. " +
      `Danh sách thu hồi mới tải cũ hơn bản đang có; giữ bản đang có. ${UNRECORDED}`,
  );
  assert.equal(view(about({ said: null, code: "status.forged", refused: "status.forged", ageMs: null })).note, `Danh sách khóa tải 2\u00a0phút trước. ${UNRECORDED}`);
});

test("every way in which a server can be away has its words", () => {
  const told = ["offline", "slow", "server", "garbled"].map((why) => viewOf({ kind: "unknown", why, says: about() }, "en").reason);
  assert.equal(new Set(told).size, 4);
});

test("ages are told as people say them", () => {
  const ages = [30_000, 5 * MINUTE, 119 * MINUTE, 47 * 60 * MINUTE, 49 * 60 * MINUTE, -5];
  assert.deepEqual(ages.map((ms) => agoWords(sayIn("vi"), ms)), ["vừa xong", "5\u00a0phút trước", "1\u00a0giờ trước", "47\u00a0giờ trước", "2\u00a0ngày trước", "vừa xong"]);
});

// ---------------------------------------------------------------- by the rules on this device

const reason = (code, outcome, known = true) => ({ code, outcome, known, words: { vi: `Vì ${code}.`, en: `By ${code}.` }, cure: { vi: `Hãy ${code}.`, en: `Do ${code}.` } });
const RULES = { ageMs: 2 * MINUTE, code: null, refused: null };

function judged(outcome, reasons, { known = true, status, code, keys, rules } = {}) {
  const says = about(status, code, keys);
  return { ...says, verdict: { outcome, known, reasons, failed: [] }, rules: { ...RULES, ...rules } };
}

test("who may pass goes on, with whom to expect and until when; by what, how old, and that it is not recorded", () => {
  const shown = view(judged("accept", []));
  assert.deepEqual([shown.tone, shown.word, shown.action], ["go", ["ĐƯỢC", "QUA"], "retry"]);
  assert.deepEqual([shown.name, shown.about], ["Tạ Văn Thành", ["•••• 3999", "sinh 1976"]]);
  assert.deepEqual([shown.reason, shown.cure, shown.until], [null, null, "Hạn đến 14:00 ngày 21/01"]);
  assert.equal(shown.note, `Mất mạng. Xét theo luật và danh sách trên máy, tải 2\u00a0phút trước. ${UNRECORDED}`);
  const english = viewOf({ kind: "unknown", why: "slow", says: judged("accept", []) }, "en").note;
  assert.equal(english, "The server did not answer in time. Judged by the rules and lists on this device, fetched 2\u00a0min ago. Not recorded: with a network, try again.");
});

test("each verdict has its colour, in the words of the policy, the other reasons after the deciding one", () => {
  const reasons = [reason("a.first", "reject"), reason("a.second", "manual")];
  const shown = view(judged("reject", reasons));
  assert.deepEqual([shown.tone, shown.reason, shown.cure], ["stop", "Vì a.first.", "Hãy a.first."]);
  assert.deepEqual(shown.more, [{ reason: "Vì a.second.", cure: "Hãy a.second." }]);
  assert.equal(view(judged("reject", reasons), "en").reason, "By a.first.");
  assert.equal(view(judged("manual", [reason("a.b", "manual")])).tone, "check");
  assert.equal(view(judged("manual", [reason("a.b", "refer")])).tone, "check", "nobody is sent on from here");
  assert.equal(view(judged("manual", [reason("a.b", "manual", false)], { known: false })).tone, "unknown");
  const remark = view(judged("accept", [reason("a.remark", "accept")]));
  assert.deepEqual([remark.tone, remark.reason, remark.cure], ["go", "Vì a.remark.", "Hãy a.remark."]);
});

test("a code that does not verify names nobody", () => {
  const says = { ...none("code.forged"), verdict: { outcome: "reject", known: true, reasons: [reason("code.forged", "reject")], failed: [] }, rules: RULES };
  const shown = view(says);
  assert.deepEqual([shown.tone, shown.name, shown.about, shown.live, shown.until], ["stop", null, null, null, null]);
  assert.match(shown.note, /Xét theo luật và danh sách trên máy, tải 2.phút trước/);
});

test("what came at another time is told by itself", () => {
  const shown = view(judged("accept", [], { rules: { ageMs: 180 * MINUTE }, status: { ageMs: 9 * MINUTE } }));
  assert.equal(
    shown.note,
    "Mất mạng. Xét theo luật trên máy, tải 3\u00a0giờ trước. Danh sách thu hồi tải 9\u00a0phút trước. " +
      `Danh sách khóa tải 2\u00a0phút trước. ${UNRECORDED}`,
  );
});

test("a list that is over stops nobody, and what it said is said; so is what the rules lack", () => {
  const old = { known: false, status: { said: "revoked", code: "status.expired", isStale: true } };
  const shown = view(judged("manual", [reason("freshness.lists_old", "manual", false)], old));
  assert.equal(shown.reason, "Vì freshness.lists_old. Mã đã bị thu hồi, theo danh sách nay đã hết hạn.");
  assert.match(shown.cure, /bàn hỗ trợ/);
  const elsewhere = { known: false, status: { said: null, code: "status.elsewhere", ageMs: null } };
  assert.match(view(judged("manual", [reason("freshness.lists_old", "manual", false)], elsewhere)).note, /mã do nơi khác cấp/);
  const refused = view(judged("accept", [], { rules: { refused: "bundle.rolled_back" } }));
  assert.match(refused.note, /Bộ luật tải về cũ hơn bản đang có/);
  const over = view({ ...about(), verdict: null, rules: { ageMs: null, code: "bundle.over", refused: null } });
  assert.deepEqual([over.tone, over.reason.includes("chữ ký đúng")], ["unknown", true]);
  assert.match(over.note, /Bộ luật trên máy đã hết hạn/);
});

test("who is not matched would be repaired with a network; a reason of proof says how live the code is", () => {
  const pending = { code: { matched: false, worth: "manual" } };
  assert.match(view(judged("manual", [reason("identity.pending", "manual")], pending)).note, /Sửa tờ khai cần có mạng/);
  assert.doesNotMatch(view(judged("reject", [reason("health.symptoms", "reject")], pending)).note, /Sửa tờ khai/);
  assert.equal(view(judged("manual", [reason("proof.static", "manual")])).live, null);
  assert.equal(view(judged("accept", [])).live, "Mã tĩnh (ảnh hoặc bản in)");
});

// ---------------------------------------------------------------- every code has its words

const read = (path) => readFileSync(new URL(`../../src/motma/${path}`, import.meta.url), "utf8");
const codesIn = (paths, room) => [...new Set(paths.flatMap((path) => read(path).match(new RegExp(`(?<=")${room}\\.[a-z0-9_]+(?=")`, "g"))))];

test("every code of a list has words of its own, in both languages", () => {
  const codes = [...codesIn(["scanner/status.js", "core/status.py"], "status"), ...codesIn(["scanner/trust.js", "core/trustlist.py", "core/trustwire.py"], "trustlist")];
  const rules = [...new Set([...codesIn(["scanner/bundle.js"], "bundle"), ...codesIn(["core/bundle.py"], "bundle")])];
  assert.ok(codes.length >= 26 && rules.length >= 13);
  codes.push(...rules);
  for (const lang of ["vi", "en"]) assert.equal(new Set(codes.map((code) => sayIn(lang)(code))).size, codes.length);
});

test("what speaks against a code is said as the server says it", () => {
  const reasons = read("core/reasons.py") + read("policies/standing/policy.json");
  const codes = [...codesIn(["scanner/code.js"], "code"), ...codesIn(["scanner/offline.js"], "standing")];
  assert.ok(codes.length >= 20);
  for (const code of codes) {
    for (const lang of ["vi", "en"]) assert.ok(reasons.includes(JSON.stringify(sayIn(lang)(code))), `${code} ${sayIn(lang)(code)}`);
  }
});
