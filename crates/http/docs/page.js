// Reads openapi.json and makes a form of each of its operations.

const MOST_SHOWN = 100_000;

const byId = (id) => document.getElementById(id);

/** An element with attributes and children; what is null is left out. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

let api;

/** What a reference points to, with what stands beside it. */
function found(value) {
  if (!value?.$ref) return value;
  const { $ref, ...beside } = value;
  const at = $ref.slice(2).split("/");
  return { ...at.reduce((place, key) => place[key], api), ...beside };
}

const nameOf = (ref) => ref.split("/").pop();

/** A schema in a few words; what it refers to is put on a list, to be told after it. */
function words(schema, indent, later) {
  if (schema === true || Object.keys(schema).every((key) => key === "description")) return ["anything"];
  if (schema.$ref) {
    later.add(schema.$ref);
    return [make("b", {}, nameOf(schema.$ref))];
  }
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const any = schema.anyOf ?? (schema.properties ? null : schema.oneOf);
  if (any) return any.flatMap((one, at) => [at ? " | " : "", ...words(one, indent, later)]);
  const types = [schema.type ?? "object"].flat();
  return types.flatMap((type, at) => [at ? " | " : "", ...ofType(type, schema, indent, later)]);
}

function ofType(type, schema, indent, later) {
  if (type === "array") {
    const [least, most] = [schema.minItems, schema.maxItems];
    const count = least == null ? "" : `${least} to ${most}`;
    return ["[", ...words(schema.items ?? true, indent, later), `, …${count && ` (${count})`}]`];
  }
  if (type === "object") return ofObject(schema, indent, later);
  if (type === "null" || type === "boolean") return [type];
  const bounds = [
    schema.minimum != null && `from ${schema.minimum}`,
    schema.maximum != null && `to ${schema.maximum}`,
    schema.maxLength != null && `up to ${schema.maxLength} bytes`,
    schema.pattern && schema.minLength && "not blank",
  ].filter(Boolean);
  return [type, bounds.length ? make("i", {}, ` (${bounds.join(", ")})`) : ""];
}

function ofObject(schema, indent, later) {
  const deeper = `${indent}  `;
  const required = schema.required ?? [];
  const lines = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    field.description ? make("i", {}, `${deeper}// ${field.description.split("\n")[0]}\n`) : "",
    `${deeper}${name}${required.includes(name) ? "" : "?"}: `,
    ...words(field, deeper, later),
    field.default === undefined ? "" : make("i", {}, ` = ${JSON.stringify(field.default)}`),
    "\n",
  ]);
  const more = schema.additionalProperties;
  if (more && more !== true) lines.push(`${deeper}[name]: `, ...words(more, deeper, later), "\n");
  return lines.length ? ["{\n", ...lines, `${indent}}`] : ["{…}"];
}

/** A schema and all that it refers to. */
function shape(schema, label) {
  const later = new Set();
  const parts = words(schema, "", later);
  for (const ref of later) {
    const target = found({ $ref: ref });
    if (target.description) parts.push("\n\n", make("i", {}, `// ${target.description.split("\n")[0]}`));
    else parts.push("\n");
    parts.push("\n", make("b", {}, nameOf(ref)), " = ", ...words(target, "", later));
  }
  return make("pre", { tabindex: 0, role: "region", "aria-label": label }, parts);
}

function folded(title, ...content) {
  return make("details", {}, make("summary", {}, title), ...content);
}

function answers(operation) {
  const list = Object.entries(operation.responses).map(([status, response]) => {
    const { description, content = {}, headers = {} } = found(response);
    const [media, { schema } = {}] = Object.entries(content)[0] ?? [];
    const names = Object.keys(headers).join(", ");
    return folded(
      [make("code", {}, status), ` ${description.replaceAll("`", "")}`],
      names ? make("p", { class: "quiet" }, `With ${names}.`) : null,
      media === "application/json" ? shape(schema, `Shape of ${status}`) : make("p", { class: "quiet" }, media ?? ""),
    );
  });
  return folded("Answers", list);
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The request that a form holds: for `fetch`, and for a shell, which is not shown the key. */
function request({ method, path, parameters, body }) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { name, where, input } of parameters) {
    const value = input.value.trim();
    if (where === "path") path = path.replace(`{${name}}`, value.split("/").map(encodeURIComponent).join("/"));
    else if (value && where === "query") query.set(name, value);
    else if (value) headers[name] = value;
  }
  const url = new URL(`.${path}${query.size ? `?${query}` : ""}`, new URL("./", location.href));
  if (body) headers["content-type"] = "application/json";
  const lines = [method === "GET" ? `curl ${quoted(url.href)}` : `curl -X ${method} ${quoted(url.href)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  const key = byId("key").value;
  if (key) {
    headers.authorization = `Bearer ${key}`;
    lines.push('-H "authorization: Bearer $API_KEY"');
  }
  if (body) lines.push(`-d ${quoted(body.value)}`);
  return { url, options: { method, headers, body: body?.value }, curl: lines.join(" \\\n  ") };
}

async function sent({ url, options }, output) {
  const started = performance.now();
  let response, text;
  try {
    response = await fetch(url, options);
    text = await response.text();
  } catch (error) {
    output.replaceChildren(make("p", { class: "failed" }, `No answer: ${error.message}`));
    return;
  }
  const took = `${Math.round(performance.now() - started)} ms, ${new Blob([text]).size} bytes`;
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  try {
    text = JSON.stringify(JSON.parse(text), null, 2).replace(/\[\s+(-?[\d.e-]+,?\s+)+\]/g, (list) => list.replace(/\s+/g, " "));
  } catch {
    // Not every answer is JSON.
  }
  if (text.length > MOST_SHOWN) text = `${text.slice(0, MOST_SHOWN)}\n… ${text.length - MOST_SHOWN} characters more`;
  const status = `${response.status} ${response.statusText}`.trim();
  output.replaceChildren(
    make("p", {}, make("span", { class: response.ok ? "status" : "status failed" }, status), make("span", { class: "quiet" }, `  ${took}`)),
    make("pre", { tabindex: 0, role: "region", "aria-label": "Body of the answer" }, text),
    folded("Headers", make("pre", { tabindex: 0, role: "region", "aria-label": "Headers of the answer" }, headers)),
  );
}

function labelled(label, input, hint) {
  return make("div", {}, make("label", { for: input.id }, label, hint ? ` — ${hint.replaceAll("`", "")}` : ""), input);
}

function form(method, path, operation) {
  const id = operation.operationId;
  const parameters = (operation.parameters ?? []).map(found).map(({ name, in: where, required, description, example }) => {
    const value = required ? example : "";
    const input = make("input", { id: `${id}-${name}`, value, placeholder: example, required, autocomplete: "off" });
    return { name, where, description, input };
  });
  const json = operation.requestBody?.content["application/json"];
  const examples = Object.values(json?.examples ?? {}).map(({ value }) => JSON.stringify(value, null, 2));
  const body = json && make("textarea", { id: `${id}-body`, spellcheck: "false", rows: 6 });
  if (body) body.value = examples[0];
  const choice = examples.length > 1 && make("select", { id: `${id}-example` }, examples.map((text, at) =>
    make("option", { value: at }, text.replace(/\s+/g, " ").slice(0, 60))));
  if (choice) choice.addEventListener("change", () => (body.value = examples[choice.value]));

  const output = make("div", { class: "answer", "aria-live": "polite" });
  const said = make("span", { class: "quiet", role: "status" });
  const curl = make("pre", { tabindex: 0, role: "region", "aria-label": "curl command", hidden: true });
  const all = { method, path, parameters, body };
  const send = make("button", { class: "first" }, "Send");
  const copy = make("button", { type: "button" }, "Copy curl");
  copy.addEventListener("click", async () => {
    const command = request(all).curl;
    try {
      await navigator.clipboard.writeText(command);
      said.textContent = "Copied.";
    } catch {
      // Without a secure page there is no clipboard; the command can still be selected.
      said.textContent = "Select it below.";
    }
    curl.textContent = command;
    curl.hidden = false;
  });
  const element = make(
    "form",
    {
      class: "body",
      onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = true;
        await sent(request(all), output);
        send.disabled = false;
      },
      onkeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element.requestSubmit();
      },
    },
    parameters.length ? make("div", { class: "fields" }, parameters.map(({ name, description, input }) => labelled(name, input, description))) : null,
    choice ? labelled("Example", choice) : null,
    body ? labelled("Body", body, "Ctrl + Enter sends it") : null,
    make("div", { class: "row" }, send, copy, said),
    curl,
    output,
    json ? folded("What the body may be", shape(json.schema, "Shape of the body")) : null,
    answers(operation),
  );
  return element;
}

function card(method, path, operation) {
  const element = make(
    "details",
    { class: "card", id: operation.operationId },
    make(
      "summary",
      {},
      make("span", { class: "method" }, method),
      make("code", {}, path),
      make("span", { class: "quiet" }, operation.summary),
    ),
  );
  // Most are never opened, and forms are many elements.
  element.addEventListener("toggle", () => element.append(form(method, path, operation)), { once: true });
  return element;
}

function opened() {
  const target = location.hash && byId(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

function filtered() {
  const wanted = byId("filter").value.toLowerCase();
  for (const section of document.querySelectorAll("main > section")) {
    let shown = 0;
    for (const one of section.querySelectorAll(".card")) {
      one.hidden = !one.firstChild.textContent.toLowerCase().includes(wanted);
      shown += !one.hidden;
    }
    section.hidden = !shown;
  }
  const none = !document.querySelector("main > section:not([hidden])");
  byId("state").textContent = none ? "No route is called so." : "";
  byId("state").hidden = !none;
}

async function start() {
  const key = byId("key").value;
  const response = await fetch("openapi.json", key ? { headers: { authorization: `Bearer ${key}` } } : {});
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  api = await response.json();
  byId("about").textContent = `Routes of this host, version ${api.info.version}`;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation]));
  const sections = api.tags.map(({ name }, at) => {
    const cards = operations.filter(([, , operation]) => operation.tags[0] === name).map((one) => card(...one));
    return cards.length && make("section", { "aria-labelledby": `tag-${at}` }, make("h2", { id: `tag-${at}` }, name), cards);
  });
  byId("routes").append(...sections.filter(Boolean));
  filtered();
  opened();
}

async function begun() {
  try {
    await start();
  } catch (error) {
    byId("state").textContent = `The routes could not be read: ${error.message}. If this host wants an API key, give it above.`;
  }
}

byId("settings").addEventListener("submit", (event) => event.preventDefault());
byId("key").addEventListener("change", () => api ?? begun());
byId("filter").addEventListener("input", filtered);
addEventListener("hashchange", opened);
begun();
