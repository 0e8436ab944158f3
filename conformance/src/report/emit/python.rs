//! The dialogue as Python, with the synchronous client of `websockets`.

use appsync_protocol::transcript::Entry;
use appsync_protocol::transcript::dialogue::label;
use appsync_protocol::wire::{OwnedFrame, Request};

use super::{Script, Step, remark, step};

/// What every program begins with, after its own constants.
const HELPERS: &str = r##"
PATIENCE = 5.0
connections = {}
opened = contextlib.ExitStack()


def secret(found):
    name = "SYNCSPEC_" + (found.group(1).upper().replace("-", "_") if found.group(1) != "key" else "API_KEY")
    if not os.environ.get(name):
        sys.exit("set " + name + ": the report does not hold it")
    return os.environ[name]


def fill(text):
    text = re.sub(r"\$\{([a-z][a-z-]*):[0-9]+\}", secret, text)
    return text.replace(RECORDED_HOST, urllib.parse.urlsplit(ENDPOINT).netloc)


def credentials():
    host = urllib.parse.urlsplit(ENDPOINT).netloc
    return json.dumps({"host": host, "x-api-key": fill("${key:1}")}).encode()


def in_query(path):
    header = urllib.parse.quote(base64.b64encode(credentials()).decode(), safe="")
    return path.replace("header=${credentials}", "header=" + header).replace("payload=${credentials}", "payload=e30%3D")


def in_token(offered):
    token = base64.urlsafe_b64encode(credentials()).decode().rstrip("=")
    return offered.replace("${credentials}", token)


def show(number, what, recorded):
    print(f"#{number} {what}")
    if recorded is not None:
        print(f"   recorded: {recorded}")


def dial(number, path, offered, recorded):
    headers = {}
    if os.environ.get("SYNCSPEC_IN_HEADERS"):
        headers = {"x-api-key": fill("${key:1}")}
    try:
        dialled = connect(
            REALTIME + fill(in_query(path)),
            subprotocols=[in_token(fill(one)) for one in offered] or None,
            additional_headers=headers,
            compression=None,
            open_timeout=PATIENCE,
        )
        connections[number] = opened.enter_context(dialled)
        show(number, f"open: 101 {connections[number].subprotocol}", recorded)
    except Exception as error:
        show(number, f"open: {type(error).__name__}: {error}", recorded)


def on(number, act):
    if number not in connections:
        print(f"#{number} is not open")
        return
    try:
        act(connections[number])
    except Exception as error:
        print(f"#{number} {type(error).__name__}: {error}")


def say(number, message):
    message = fill(message) if isinstance(message, str) else message
    print(f"#{number} say: {message}")
    on(number, lambda connection: connection.send(message))


def hear(number, recorded):
    def act(connection):
        try:
            show(number, f"got: {connection.recv(timeout=PATIENCE)}", recorded)
        except TimeoutError:
            show(number, f"got: nothing in {PATIENCE} s", recorded)
        except ConnectionClosed as closed:
            show(number, f"got: the end: {closed}", recorded)

    on(number, act)


def ask(method, path, headers, body, recorded):
    fields = {name: fill(value) for name, value in headers if name.lower() not in ("host", "content-length")}
    request = urllib.request.Request(ENDPOINT + fill(path), data=body, headers=fields, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            print(f"{method} {path}: {answer.status} {answer.read().decode(errors='replace')}")
    except urllib.error.HTTPError as answer:
        print(f"{method} {path}: {answer.code} {answer.read().decode(errors='replace')}")
    except Exception as error:
        print(f"{method} {path}: {type(error).__name__}: {error}")
    print(f"   recorded: {recorded}")


"##;

/// The whole program.
pub(super) fn program(script: &Script<'_>) -> String {
    let mut out = String::from("#!/usr/bin/env python3\n");
    for line in script.about() {
        out.push_str(remark(&line).replace("# \n", "#\n").as_str());
    }
    out.push_str(
        "#\n# Needs the package websockets (pip install websockets) and the key in SYNCSPEC_API_KEY. Another server:\n\
         # SYNCSPEC_REALTIME=ws://HOST:PORT and SYNCSPEC_ENDPOINT=http://HOST:PORT. With SYNCSPEC_IN_HEADERS=1 the key\n\
         # also travels as a header of each upgrade.\nimport base64\nimport contextlib\nimport json\nimport os\nimport re\nimport sys\nimport \
         urllib.error\nimport urllib.parse\nimport urllib.request\n\ntry:\n    from websockets.exceptions import \
         ConnectionClosed\n    from websockets.sync.client import connect\nexcept ImportError:\n    sys.exit(\"this needs \
         the package websockets: pip install websockets\")\n\n",
    );
    for (name, variable, value) in
        [("REALTIME", "SYNCSPEC_REALTIME", script.realtime()), ("ENDPOINT", "SYNCSPEC_ENDPOINT", script.endpoint())]
    {
        out.push_str(&format!("{name} = os.environ.get({}, {})\n", literal(variable), literal(&value)));
    }
    out.push_str(&format!("RECORDED_HOST = {}\n", literal(&script.host())));
    out.push_str(HELPERS);
    for n in order(script) {
        let Some(entry) = script.entries.get(n) else { continue };
        let number = entry.connection;
        match step(entry) {
            Step::Open { path, offered, answer } => {
                let offered: Vec<_> = offered.iter().map(|one| literal(one)).collect();
                let (path, answer) = (literal(path), literal(&answer));
                out.push_str(&format!("dial({number}, {path}, [{}], {answer})\n", offered.join(", ")));
            }
            Step::Say(frame) => out.push_str(&said(number, frame)),
            Step::Hear(frame) => out.push_str(&heard(number, frame)),
            Step::Ask { request, status } => out.push_str(&asked(request, status)),
            Step::Remark(text) => out.push_str(&remark(&format!("at {} ms: {text}", entry.at.as_millis()))),
        }
        if script.case.mark == Some(n) {
            out.push_str("print(\"   ^-- here it parted\")\n");
        }
    }
    out.push_str("opened.close()\n");
    out
}

/// Indices of the entries as a program has to go through them. A request is recorded when its answer is there, and
/// the events that it caused may have come before: it goes in front of them.
fn order(script: &Script<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let is_event = |n: &usize| script.entries.get(*n).is_some_and(is_event);
    for (n, entry) in script.entries.iter().enumerate() {
        let events = match step(entry) {
            Step::Ask { .. } => order.iter().rev().take_while(|before| is_event(before)).count(),
            Step::Open { .. } | Step::Say(_) | Step::Hear(_) | Step::Remark(_) => 0,
        };
        order.insert(order.len() - events, n);
    }
    order
}

fn is_event(entry: &Entry) -> bool {
    matches!(step(entry), Step::Hear(OwnedFrame::Text { .. })) && label(&entry.what).starts_with("data ")
}

fn said(number: u32, frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, fragments: 1 } => format!("say({number}, {})\n", literal(text)),
        OwnedFrame::Text { text, fragments } => {
            let size = text.chars().count().div_ceil(usize::try_from(*fragments).unwrap_or(1).max(1)).max(1);
            format!(
                "whole = fill({})\non({number}, lambda connection: connection.send(whole[n:n + {size}] for n in \
                 range(0, len(whole), {size})))\n",
                literal(text)
            )
        }
        OwnedFrame::Binary(bytes) => format!("say({number}, {})\n", bytes_literal(bytes)),
        OwnedFrame::Ping(bytes) => {
            format!("on({number}, lambda connection: connection.ping({}))\n", bytes_literal(bytes))
        }
        OwnedFrame::Pong(bytes) => {
            format!("on({number}, lambda connection: connection.pong({}))\n", bytes_literal(bytes))
        }
        OwnedFrame::Close { code, reason } => format!(
            "on({number}, lambda connection: connection.close({}, {}))\n",
            code.unwrap_or(1000),
            literal(reason)
        ),
        OwnedFrame::Lost => format!("on({number}, lambda connection: connection.socket.close())\n"),
    }
}

fn heard(number: u32, frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, fragments: _ } => format!("hear({number}, {})\n", literal(text)),
        OwnedFrame::Binary(bytes) => format!("hear({number}, {})\n", bytes_literal(bytes)),
        OwnedFrame::Close { code, reason } => {
            let code = code.map_or_else(|| "without code".into(), |code| code.to_string());
            format!("hear({number}, {})\n", literal(format!("close {code} {reason}").trim_end()))
        }
        OwnedFrame::Lost => format!("hear({number}, \"the end of the transport\")\n"),
        OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {
            remark(&format!("#{number}: the library handles the control frame that came here"))
        }
    }
}

fn asked(request: &Request, status: u16) -> String {
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| format!("({}, {})", literal(name), literal(value))).collect();
    let body = match std::str::from_utf8(&request.body.0) {
        Ok("") => "None".into(),
        Ok(text) => format!("fill({}).encode()", literal(text)),
        Err(_) => bytes_literal(&request.body.0),
    };
    format!(
        "ask({}, {}, [{}], {body}, {})\n",
        literal(&request.method),
        literal(&request.target),
        headers.join(", "),
        literal(&status.to_string())
    )
}

/// A string literal of ASCII characters only.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ if u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

fn bytes_literal(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("b\"{escaped}\"")
}
