// The two pages before the scanner: enrolment and the start of a shift. Both work without this.

import { keep } from "./settings.js";

// The secret of an enrolment link stands after "#", which is never sent, so that no log can hold it. It is moved
// into the form, and out of the address and the history.
const field = document.getElementById("token");
const token = decodeURIComponent(location.hash.slice(1));
if (field && token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
  field.form.querySelector("[type=submit]").focus();
}

// Whoever sees these pages is not on a shift: the name of the one before goes.
keep("place", null);
