// Asks /status.json once a second while somebody looks, and shows it. What clients named is set as text, never as HTML.
"use strict";

const PERIOD = 1000;
const KEPT = 200;
const KEY = "syncspec-key";
const CARRIER = "syncspec-carrier";

const at = (id) => document.getElementById(id);
let since = 0;
let asking = false;
let timer = 0;

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

// Where

function showUrls() {
  const socket = location.origin.replace(/^http/, "ws");
  at("graphql-http").textContent = `${location.origin}/graphql`;
  at("graphql-ws").textContent = `${socket}/graphql/realtime`;
  at("events-http").textContent = `${location.origin}/event`;
  at("events-ws").textContent = `${socket}/event/realtime`;
}

// What the endpoint does

function showState(state, text) {
  const place = at("state");
  if (place.dataset.state === state && place.textContent === text) return;
  place.dataset.state = state;
  place.textContent = text;
}

function age(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}

function connectionItem(connection) {
  const item = element("li");
  const line = element("div", "line");
  line.append(
    element("span", "number", `#${connection.number}`),
    element("span", `tag ${connection.dialect}`, connection.dialect),
    element("span", "traffic", `${age(connection.age)}, ${connection.received} in, ${connection.sent} out`),
  );
  item.append(line);
  const list = element("ul", "subscriptions");
  for (const subscription of connection.subscriptions) {
    const entry = element("li");
    entry.append(element("span", "name", subscription.name), element("span", "id", subscription.id));
    list.append(entry);
  }
  if (connection.unlisted > 0) list.append(element("li", "hint", `and ${connection.unlisted} more`));
  item.append(list.childElementCount > 0 ? list : element("p", "hint", "no subscription"));
  return item;
}

function operationItem(operation, now) {
  const item = element("li");
  const when = new Date(Date.now() - (now - operation.at));
  const about = element("span", "about");
  about.append(element("span", "name", operation.name));
  if (operation.id) about.append(" ", element("span", "id", operation.id));
  if (operation.name && operation.bytes > 0) about.append(" ", element("span", "id", counted(operation.bytes, "byte")));
  const outcome = element("span", operation.refused ? "outcome bad" : "outcome", operation.outcome);
  if (operation.delivered > 0) outcome.append(" ", element("span", "told", `${operation.delivered} delivered`));
  item.append(
    element("span", "time", when.toLocaleTimeString([], { hour12: false })),
    element("span", "number", operation.connection === null ? "" : `#${operation.connection}`),
    element("span", `tag ${operation.dialect || ""}`, operation.dialect || ""),
    element("span", "what", operation.what),
    about,
    outcome,
  );
  if (operation.body) item.append(element("span", "body", operation.body));
  return item;
}

function show(status) {
  for (const [name, value] of Object.entries(status.counts)) {
    at(`count-${name}`).textContent = value.toLocaleString();
  }
  at("version").textContent = status.version;
  at("connections").replaceChildren(...status.connections.map(connectionItem));
  at("no-connections").hidden = status.connections.length > 0;
  at("unlisted").hidden = status.unlisted === 0;
  at("unlisted").textContent = `and ${counted(status.unlisted, "older connection")}`;

  const list = at("operations");
  // A number below ours: the endpoint was started again.
  if (status.next < since) {
    list.replaceChildren();
    since = 0;
    return;
  }
  since = status.next;
  list.prepend(...status.operations.map((operation) => operationItem(operation, status.now)).reverse());
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
  at("no-operations").hidden = list.childElementCount > 0;
}

async function look() {
  clearTimeout(timer);
  if (asking || document.visibilityState !== "visible") return;
  asking = true;
  try {
    const response = await fetch(`/status.json?since=${since}`, { cache: "no-store" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
    showState("live", "live");
  } catch {
    showState("gone", "the endpoint does not answer");
  }
  asking = false;
  timer = setTimeout(look, PERIOD);
}

// The forms

function keepKey() {
  sessionStorage.setItem(KEY, at("key").value);
  sessionStorage.setItem(CARRIER, at("carrier").value);
}

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const key = at("key").value.trim();
  if (key) headers[at("carrier").value] = key;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  let shown = text;
  let good = response.ok;
  try {
    const answer = JSON.parse(text);
    good = good && !answer.errors;
    shown = JSON.stringify(answer, null, 2);
  } catch {
    // Shown as it came.
  }
  return { good, text: `${response.status}\n${shown}` };
}

function parsed(id, what) {
  try {
    return JSON.parse(at(id).value);
  } catch (error) {
    throw new Error(`${what} is no JSON: ${error.message}`);
  }
}

function answerTo(form, place, ask) {
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    let answer;
    try {
      answer = await ask();
    } catch (error) {
      answer = { good: false, text: error.message };
    }
    place.textContent = answer.text;
    place.classList.toggle("bad", !answer.good);
    place.hidden = false;
    button.disabled = false;
    look();
  });
}

showUrls();
at("key").value = sessionStorage.getItem(KEY) || "";
at("carrier").value = sessionStorage.getItem(CARRIER) || "x-api-key";
at("key").addEventListener("input", keepKey);
at("carrier").addEventListener("change", keepKey);
answerTo(at("publish"), at("publish-answer"), () =>
  post("/event", { channel: at("channel").value, events: [JSON.stringify(parsed("event", "the event"))] }));
answerTo(at("run"), at("run-answer"), () =>
  post("/graphql", {
    query: at("document").value,
    variables: at("variables").value.trim() ? parsed("variables", "the variables") : {},
  }));
document.addEventListener("visibilitychange", look);
look();
