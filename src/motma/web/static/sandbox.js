// A key pair made here: the public part goes with the form, the private one is saved as a file and sent nowhere.

const form = document.querySelector("#register");
const key = form.elements.namedItem("key");
const withKey = document.querySelector("#with-key");

function pem(bytes) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-pem-file" }));
  link.download = name;
  link.click();
}

async function make() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  save(pem(await crypto.subtle.exportKey("pkcs8", pair.privateKey)), "motma-key.pem");
  key.value = JSON.stringify({ kty, crv, x, y });
}

if (globalThis.crypto?.subtle) {  // only over https, or on this machine
  withKey.hidden = false;
  withKey.addEventListener("click", async (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    if (!key.value.trim()) await make();
    form.submit();
  });
}
