import assert from "node:assert/strict";
import { test } from "node:test";

import { viewOf } from "../../src/motma/scanner/verdict.js";
import { contactWords, sayIn } from "../../src/motma/scanner/words.js";

const CITIZEN = { qid: "999199123456789012", name: "Nguyễn Thị Minh", birth_date: "1987-01-18", last_four: "3456" };
const PENDING = {
  code: "identity.pending",
  words: { vi: "Đang chờ đối soát dữ liệu dân cư.", en: "Waiting for the population register." },
  cure: { vi: "So tên, ngày sinh.", en: "Compare name and birth date." },
};
const CONTACT = {
  code: "health.contact",
  words: { vi: "Có tiếp xúc với người bệnh.", en: "There was contact with a patient." },
  cure: { vi: "Hỏi thêm.", en: "Ask further." },
};
const NEXT = { checkpoint: "binh-trieu", name: { vi: "Chốt Cầu Bình Triệu", en: "Bình Triệu bridge" }, metres: 2430 };

const answer = (fields) => ({
  kind: "verdict",
  verdict: {
    id: "scn_x",
    outcome: "accept",
    known: true,
    reasons: [],
    citizen: CITIZEN,
    refer: null,
    valid_until: null,
    ...fields,
  },
});

test("accept: the word, whom to expect, and no more of the birth date than the year", () => {
  const view = viewOf(answer({ valid_until: "2026-11-25T07:20:00Z" }), "vi", { timeZone: "Asia/Ho_Chi_Minh" });
  assert.equal(view.tone, "go");
  assert.deepEqual(view.word, ["ĐƯỢC", "QUA"]);
  assert.deepEqual(view.beside, { lang: "en", text: "GO" });
  assert.equal(view.name, "Nguyễn Thị Minh");
  assert.deepEqual(view.about, ["•••• 3456", "sinh 1987"]);
  assert.equal(view.until, "Hạn đến 14:20 ngày 25/11");
  assert.deepEqual([view.reason, view.cure, view.more, view.action], [null, null, [], "next"]);
});

test("manual: the whole birth date, to compare; the other reasons after the deciding one", () => {
  const view = viewOf(answer({ outcome: "manual", reasons: [PENDING, CONTACT] }), "en");
  assert.equal(view.tone, "check");
  assert.deepEqual(view.word, ["CHECK"]);
  assert.deepEqual(view.about, ["•••• 3456", "18/01/1987"]);
  assert.equal(view.reason, PENDING.words.en);
  assert.equal(view.cure, PENDING.cure.en);
  assert.deepEqual(view.more, [{ reason: CONTACT.words.en, cure: CONTACT.cure.en }]);
});

test("refer: where to, and how far", () => {
  const refer = (metres, lang) => viewOf(answer({ outcome: "refer", refer: { ...NEXT, metres } }), lang).cure;
  assert.equal(refer(2430, "vi"), "Đi tiếp đến Chốt Cầu Bình Triệu, cách 2,4 km.");
  assert.equal(refer(2430, "en"), "Go on to Bình Triệu bridge, 2.4 km away.");
  assert.equal(refer(633, "vi"), "Đi tiếp đến Chốt Cầu Bình Triệu, cách 650 m.");
  assert.equal(viewOf(answer({ outcome: "refer", reasons: [PENDING] }), "vi").cure, PENDING.cure.vi);
});

test("reject: the deciding reason and what the person can do", () => {
  const view = viewOf(answer({ outcome: "reject", citizen: null, reasons: [CONTACT] }), "vi");
  assert.equal(view.tone, "stop");
  assert.deepEqual(view.word, ["KHÔNG", "QUA"]);
  assert.deepEqual([view.name, view.about], [null, null]);
  assert.equal(view.cure, CONTACT.cure.vi);
});

test("manual because something is not known looks unknown, never refused", () => {
  const view = viewOf(answer({ outcome: "manual", known: false, citizen: null, reasons: [PENDING] }), "vi");
  assert.equal(view.tone, "unknown");
  assert.deepEqual(view.word, ["CHƯA", "RÕ"]);
  assert.equal(view.action, "next");
});

test("no answer looks unknown, says why, and can be tried again", () => {
  for (const lang of ["vi", "en"]) {
    const told = ["offline", "slow", "server", "garbled"].map((why) => viewOf({ kind: "unknown", why }, lang));
    assert.ok(told.every((view) => view.tone === "unknown" && view.action === "retry" && view.cure));
    assert.equal(new Set(told.map((view) => view.reason)).size, 4);
  }
});

test("what the server refused is said in its words, and not sent again", () => {
  const words = { vi: "Mã số gõ nhầm.", en: "Mistyped." };
  const view = viewOf({ kind: "unknown", why: "refused", words }, "en");
  assert.deepEqual([view.reason, view.action], ["Mistyped.", "next"]);
  assert.ok(viewOf({ kind: "unknown", why: "refused" }, "vi").reason);
});

test("a quiet line says whether the code was proved live, unless a reason says it already", () => {
  const stale = { code: "proof.stale", words: { vi: "Chứng thực trực tiếp đã cũ.", en: "Old." }, cure: { vi: "", en: "" } };
  assert.equal(viewOf(answer({ live: "live" }), "vi").live, "Mã trực tiếp");
  assert.equal(viewOf(answer({ live: "static" }), "vi").live, "Mã tĩnh (ảnh hoặc bản in)");
  assert.equal(viewOf(answer({ live: "stale" }), "en").live, "Live code, but old");
  assert.equal(viewOf(answer({ live: "stale", outcome: "manual", reasons: [stale] }), "vi").live, null);
  assert.equal(viewOf(answer({ live: null }), "vi").live, null, "a number was typed");
  assert.equal(viewOf(answer({}), "vi").live, null, "a server of before says nothing of it");
});

test("the end of the shift leads to signing in", () => {
  const view = viewOf({ kind: "signed_out" }, "vi");
  assert.deepEqual([view.tone, view.action, view.reason], ["unknown", "sign_in", "Ca trực đã kết thúc."]);
});

test("contact is told as people say it", () => {
  const vi = (ago) => contactWords(sayIn("vi"), ago, true);
  assert.deepEqual(
    [null, 3_000, 47_000, 125_000, 7_300_000].map(vi),
    ["chưa liên lạc được", "vừa liên lạc", "liên lạc 40 giây trước", "liên lạc 2 phút trước", "liên lạc 2 giờ trước"],
  );
  assert.equal(contactWords(sayIn("vi"), 3_000, false), "liên lạc 10 giây trước");
  assert.equal(contactWords(sayIn("en"), 125_000, true), "last contact 2 min ago");
});
