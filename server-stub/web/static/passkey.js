// Signs in with a passkey, or makes one. Where the browser has no passkeys nothing shows.
"use strict";
(() => {
  const area = document.querySelector("[data-passkey]");
  if (!area || !window.PublicKeyCredential || !navigator.credentials) return;
  const button = area.querySelector("button");
  const problem = document.getElementById("problem");
  const path = area.dataset.passkey;
  const setup = document.querySelector("[data-setup]");
  area.hidden = false;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const ask = async (where, body) => {
    const answer = await fetch(where, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), cache: "no-store" });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.problem);
    return said;
  };

  const create = async (options) => {
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    for (const known of options.excludeCredentials || []) known.id = bytes(known.id);
    const made = await navigator.credentials.create({ publicKey: options });
    return {
      id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: made.getClientExtensionResults(),
      response: {
        clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [],
      },
    };
  };

  const get = async (options) => {
    options.challenge = bytes(options.challenge);
    for (const known of options.allowCredentials || []) known.id = bytes(known.id);
    const used = await navigator.credentials.get({ publicKey: options });
    return {
      id: used.id, rawId: text(used.rawId), type: used.type, clientExtensionResults: used.getClientExtensionResults(),
      response: {
        clientDataJSON: text(used.response.clientDataJSON), authenticatorData: text(used.response.authenticatorData),
        signature: text(used.response.signature), userHandle: used.response.userHandle ? text(used.response.userHandle) : null,
      },
    };
  };

  button.addEventListener("click", async () => {
    problem.textContent = "";
    const about = {};
    if (setup) {
      for (const name of ["token", "account", "name"]) {
        const field = setup.elements[name];
        if (!field.reportValidity()) return;
        about[name] = field.value;
      }
    }
    button.disabled = true;
    try {
      const begun = await ask(path + "/options", about);
      const options = begun.options.publicKey;
      let answer;
      try {
        answer = setup ? await create(options) : await get(options);
      } catch {
        throw new Error(button.dataset.failed);
      }
      const done = await ask(path, { flow: begun.flow, answer });
      location.assign(done.next);
    } catch (e) {
      problem.textContent = e.message;
      button.disabled = false;
    }
  });
})();
