// From an answer to what is shown: pure, so that every sentence an officer can meet is under test.

import { paperFor } from "./along.js";
import { offlineFindings } from "./offline.js";
import { canRepair, repairedWords } from "./repair.js";
import { agoWords, sayIn } from "./words.js";

const TONES = { accept: "go", manual: "check", refer: "next", reject: "stop" };

/**
 * `answer` is what checks.js returns, with `says` of belief.js where the server could not be asked. The view:
 *   tone    "go" | "check" | "next" | "stop" | "unknown": colour, shape, sound and vibration in one
 *   word    the verdict, in lines; `beside` the same in the other language
 *   name, about    whom to expect: name; last four, birth (null when nobody is known)
 *   live    whether the holder's own key proved the code just now; null where a reason says it, or no code was shown
 *   reason, cure   the deciding one; either may be null
 *   note    in small type: what was put right or shown along; or by what it is known, and how old that is; or null
 *   more    further reasons: [{ reason, cure }]
 *   until   end of validity, in words, or null
 *   action  "next" | "retry" | "sign_in" | "repair" | "certificate" | "permit": what the big button does
 * Times are Vietnam's, as on the code and on paper, whatever zone the device is set to.
 */
export function viewOf(answer, lang, { timeZone = "Asia/Ho_Chi_Minh" } = {}) {
  const say = sayIn(lang);
  if (answer.kind === "signed_out") {
    return { ...blank("unknown", lang), reason: say("signed_out"), cure: say("signed_out.cure"), action: "sign_in" };
  }
  if (answer.kind === "unknown") {
    const reason = answer.words?.[lang] ?? say(`unknown.${answer.why}`);
    const again = answer.why !== "refused"; // what was refused once is refused again
    const cure = say(again ? "unknown.cure" : "unknown.refused.cure");
    const view = { ...blank("unknown", lang), reason, cure, action: again ? "retry" : "next" };
    return answer.says ? withoutServer(answer, lang, timeZone, say) : view;
  }
  const { outcome, known, reasons, citizen, refer, valid_until, live, along } = answer.verdict;
  const tone = outcome === "manual" && !known ? "unknown" : TONES[outcome];
  const [first, ...rest] = reasons.map((why) => ({ reason: why.words[lang], cure: why.cure[lang] }));
  const view = {
    ...blank(tone, lang),
    name: citizen?.name ?? null,
    about: citizen ? aboutPerson(citizen, tone, say) : null,
    live: live && !reasons.some(({ code }) => code.startsWith("proof.")) ? say(`live.${live}`) : null,
    reason: first?.reason ?? null,
    cure: first?.cure ?? null,
    more: rest,
    until: tone === "go" && valid_until ? say("until", moment(valid_until, lang, timeZone)) : null,
  };
  view.action = actionFor(answer);
  const notes = (along ?? []).map(({ words }) => words[lang]);
  if (answer.repaired) notes.unshift(repairedWords(answer.repaired, say));
  if (notes.length) view.note = notes.join(" ");
  if (tone === "next" && refer) {
    view.cure = `${say("refer.to", refer.name[lang])}, ${distance(refer.metres, lang, say)}.`;
  }
  return view;
}

/** What answers the first reason that can be answered here. No paper helps who is stopped for something else. */
function actionFor(answer) {
  const { outcome, reasons } = answer.verdict;
  if (outcome !== "manual" && outcome !== "reject") return "next";
  for (const { code } of outcome === "reject" ? reasons.slice(0, 1) : reasons) {
    const paper = answer.scan ? paperFor(code) : null;
    if (paper) return paper;
    if (code.startsWith("identity.") && canRepair(answer)) return "repair";
  }
  return "next";
}

function blank(tone, lang) {
  const other = lang === "en" ? "vi" : "en";
  return {
    tone,
    word: sayIn(lang)(`word.${tone}`).split("|"),
    beside: { lang: other, text: sayIn(other)(`word.${tone}`).replace("|", " ") },
    name: null,
    about: null,
    live: null,
    reason: null,
    cure: null,
    note: null,
    more: [],
    until: null,
    action: "next",
  };
}

/** What belief.js knows of the code, and what the rules on this device make of it, in words. It can be tried again: the
 * scan is not recorded. */
function withoutServer({ why, says }, lang, timeZone, say) {
  const { tone, person, live, reason, cure, more, until, note } = offlineFindings(says, why);
  const fill = (value) => (value.at === undefined ? agoWords(say, value.ago) : moment(value.at, lang, timeZone));
  const sentence = (said) => (Array.isArray(said) ? say(said[0], ...said.slice(1).map(fill)) : said[lang]);
  const sentences = (list) => (list.length ? list.map(sentence).join(" ") : null);
  return {
    ...blank(tone, lang),
    name: person?.name ?? null,
    about: person ? aboutPerson(person, tone === "stop" ? "unknown" : tone, say) : null,
    live: live ? say(`live.${live}`) : null,
    reason: sentences(reason),
    cure: cure && sentence(cure),
    more: more.map((one) => ({ reason: one.words[lang], cure: one.cure[lang] })),
    until: until === null ? null : say("until", moment(until, lang, timeZone)),
    note: sentences(note),
    action: "retry",
  };
}

// To let somebody pass, the year is enough; to compare with a document, the whole date is needed.
function aboutPerson({ last_four, birth_date }, tone, say) {
  const [year, month, day] = birth_date.split("-");
  const born = tone === "check" || tone === "unknown" ? `${day}/${month}/${year}` : say("person.born", year);
  return [last_four === "none" ? say("person.no_number") : `•••• ${last_four}`, born];
}

function distance(metres, lang, say) {
  if (metres < 1000) return say("refer.metres", Math.round(metres / 50) * 50);
  const kilometres = new Intl.NumberFormat(lang === "en" ? "en-GB" : "vi-VN", { maximumFractionDigits: 1 });
  return say("refer.kilometres", kilometres.format(metres / 1000));
}

/** A time, as ISO 8601 or in ms. */
function moment(iso, lang, timeZone) {
  const part = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options }).format(new Date(iso));
  const time = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const date = part({ day: "2-digit", month: "2-digit" });
  return lang === "en" ? `${time} on ${date}` : `${time} ngày ${date}`;
}
