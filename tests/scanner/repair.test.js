import assert from "node:assert/strict";
import { test } from "node:test";

import { offlineFindings } from "../../src/motma/scanner/offline.js";
import { askOf, canRepair, readCard, repairedWords } from "../../src/motma/scanner/repair.js";
import { viewOf } from "../../src/motma/scanner/verdict.js";
import { sayIn } from "../../src/motma/scanner/words.js";

const CARD = "999187012345|999123456|NGUYỄN THỊ MINH|18011987|Nữ|Ấp 11|01012021";
const why = (code) => ({ code, words: { vi: "v", en: "e" }, cure: { vi: "v", en: "e" } });
const CITIZEN = { qid: "999199123456789012", name: "Nguyễn Minh", birth_date: "1987-01-18", last_four: "2345" };
const answer = (fields, more = {}) => ({
  kind: "verdict",
  scan: { id: "scn_x", code: "X" },
  verdict: { id: "scn_x", outcome: "manual", known: true, reasons: [], citizen: CITIZEN, refer: null, valid_until: null, ...fields },
  ...more,
});

test("a card's code fills the fields; relatives never leave the device", () => {
  const read = readCard(`${CARD}|MẸ CỦA AI|1950`);
  assert.deepEqual(
    [read.number, read.old, read.name, read.day, read.month, read.year, read.sex],
    ["999187012345", "999123456", "NGUYỄN THỊ MINH", "18", "01", "1987", "female"],
  );
  assert.equal(read.text, CARD);
  assert.equal(readCard(CARD.replace("|999123456", "|")).old, "");
  const short = readCard("999187012345|NGUYỄN THỊ MINH|18/01/1987|Nữ|Ấp 11|01012021");
  assert.deepEqual([short.name, short.year], ["NGUYỄN THỊ MINH", "1987"]);
  assert.equal(readCard("999187012345||AN|1987|Nam|Ấp|2021").day, "");
  assert.equal(readCard(CARD.replace("Nữ", "Nữ".normalize("NFD"))).sex, "female");
});

test("what is no card is none", () => {
  for (const text of ["", "NCFOXN", "1|2|3", CARD.slice(1), CARD.replace("18011987", "38011987"), "|".repeat(50)]) {
    assert.equal(readCard(text), null, text);
  }
});

test("a repair is offered where it is not certain who somebody is, and nowhere else", () => {
  assert.ok(canRepair(answer({ reasons: [why("identity.repairable")] })));
  assert.ok(canRepair(answer({ reasons: [why("health.contact"), why("identity.pending")] })));
  assert.ok(!canRepair(answer({ reasons: [why("health.contact")] })));
  assert.ok(!canRepair(answer({ outcome: "reject", reasons: [why("standing.revoked"), why("identity.pending")] })));
  assert.ok(!canRepair(answer({ citizen: null, reasons: [why("identity.pending")] })));
  assert.ok(!canRepair({ kind: "unknown", why: "offline", scan: { id: "scn_x" } }));
  assert.equal(viewOf(answer({ reasons: [why("identity.repairable")] }), "vi").action, "repair");
  assert.equal(viewOf(answer({ reasons: [why("health.contact")] }), "vi").action, "next");
});

test("offline it is not offered, and that is said where it would have been", () => {
  const code = { name: "A", birth_date: "1987-01-18", last_four: "2345", matched: false, worth: "manual", when: "valid", validUntil: 1, validFrom: 0, live: null };
  const says = { problem: null, code, status: { code: null, said: "valid", isStale: false, ageMs: 0, refused: null }, keys: { ageMs: 0, isStale: false, refused: null } };
  assert.ok(offlineFindings(says, "offline").note.some(([key]) => key === "repair.needs_network"));
  const sure = { ...says, code: { ...code, matched: true, worth: "accept" } };
  assert.ok(!offlineFindings(sure, "offline").note.some(([key]) => key === "repair.needs_network"));
  const view = viewOf({ kind: "unknown", why: "offline", scan: { id: "scn_x" }, says }, "vi");
  assert.equal(view.action, "retry");
  assert.match(view.note, /Sửa tờ khai cần có mạng/);
});

test("what is sent: the card alone, or what was typed", () => {
  const fields = { kind: "cccd", number: " ", name: " Nguyễn Thị Minh ", day: "8", month: "1", year: "1987", sex: "" };
  const about = { id: "rep_x", scan: "scn_x", reason: "tones" };
  assert.deepEqual(askOf({ ...about, card: CARD, fields }), { ...about, card: CARD });
  assert.deepEqual(askOf({ ...about, card: null, fields }), { ...about, name: "Nguyễn Thị Minh", birth_date: "1987-01-08" });
  const year = askOf({ ...about, card: null, fields: { ...fields, number: "123456789", kind: "cmnd", day: "", month: "", sex: "male" } });
  assert.deepEqual([year.birth_date, year.document, year.sex], ["1987", { kind: "cmnd", number: "123456789" }, "male"]);
  const none = askOf({ ...about, card: null, fields: { ...fields, kind: "none" } });
  assert.deepEqual(none.document, { kind: "none", number: "" });
});

test("what was put right is said under the new verdict, in both languages", () => {
  const repaired = {
    grade: "matched",
    differing: [
      { field: "document.number", declared: "none", document: "2345" },
      { field: "name", declared: "Nguyễn Minh", document: "NGUYỄN THỊ MINH" },
      { field: "birth_date", declared: "1987-01-01", document: "1987-01-18" },
      { field: "sex", declared: "other", document: "female" },
    ],
  };
  const said = repairedWords(repaired, sayIn("vi"));
  assert.equal(
    said,
    "Đã sửa; khớp dữ liệu dân cư. Số giấy tờ: không có số → ••••\u00a02345. Họ tên: Nguyễn Minh → NGUYỄN THỊ MINH. " +
      "Ngày sinh: 01/01/1987 → 18/01/1987. Giới tính: khác → nữ.",
  );
  assert.match(repairedWords({ grade: "vouched", differing: [] }, sayIn("en")), /^Recorded: you vouch/);
  const view = viewOf(answer({ outcome: "accept" }, { repaired }), "vi");
  assert.deepEqual([view.tone, view.note, view.action], ["go", said, "next"]);
});

test("who has no number is not said to end in none", () => {
  const view = viewOf(answer({ citizen: { ...CITIZEN, last_four: "none" } }), "vi");
  assert.deepEqual(view.about, ["không có số", "18/01/1987"]);
  assert.deepEqual(viewOf(answer({ citizen: { ...CITIZEN, last_four: "none" } }), "en").about, ["no number", "18/01/1987"]);
});
