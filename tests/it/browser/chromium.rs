//! Chromium without a driver: the DevTools protocol over the two pipes of `--remote-debugging-pipe`, as JSON that ends
//! with a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use serde_json::{Value, json};

/// The browser to use, where it isn't in the path. Set, there has to be one.
const CHROMIUM: &str = "RETUNE_CHROMIUM";
/// Nothing takes so long but what has failed.
const LONGEST: Duration = Duration::from_secs(180);
/// The browser's ends of the pipes are its file descriptors 3 and 4.
const ON_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A browser with one page.
pub struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    sent: u64,
    session: Option<String>,
    /// What the page has complained of: errors of scripts, what a policy forbade, files that are missing.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

/// Where the browser is. `None`, with a word to the reader of the test's output, where there is none.
fn installed() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(CHROMIUM) {
        assert!(Path::new(&named).is_file(), "{CHROMIUM} is {}, where no file is", named.display());
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    let found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = found.into_iter().find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no Chromium in the path, and {CHROMIUM} names none");
    }
    found
}

impl Chromium {
    /// Starts the browser, if there is one.
    pub fn start() -> Option<Chromium> {
        let program = installed()?;
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", ON_PIPES]).arg(program).args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            // What stands in them is looked at.
            "--disable-features=IsolateSandboxedIframes",
            // A mouse, whatever the machine has.
            "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if is_root() {
            command.arg("--no-sandbox");
        }
        let mut child =
            command.arg("about:blank").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (send, messages) = unbounded();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice::<Value>(&message).unwrap();
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Chromium {
            child,
            commands,
            messages,
            sent: 0,
            session: None,
            complaints: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached =
            self.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        self.session = attached["sessionId"].as_str().map(str::to_string);
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Calls a method of the protocol and returns its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let message = match self.messages.recv_timeout(LONGEST) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => panic!("{method} is not answered"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the browser has ended before it answered {method}")
                }
            };
            if message["id"] == json!(self.sent) {
                return message
                    .get("error")
                    .map_or_else(|| Ok(message["result"].clone()), |error| Err(error.clone()));
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => &params["exceptionDetails"],
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => &params["entry"],
            Some("Runtime.consoleAPICalled") if params["type"] == "error" => &params["args"],
            _ => return,
        };
        self.complaints.push(complaint.to_string());
    }

    /// The value of an expression; of a promise, what it promises.
    pub fn eval(&mut self, expression: &str) -> Value {
        self.try_eval(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_eval(&mut self, expression: &str) -> Result<Value, Value> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.try_call("Runtime.evaluate", params)?;
        match answer.get("exceptionDetails") {
            Some(exception) => Err(exception.clone()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is true, whatever becomes of the page meanwhile.
    pub fn wait(&mut self, expression: &str) {
        let began = Instant::now();
        loop {
            let value = self.try_eval(&format!("Promise.resolve({expression}).then(Boolean)"));
            if value == Ok(Value::Bool(true)) {
                return;
            }
            if began.elapsed() > LONGEST {
                let shown = self.eval("location.href + '\\n' + document.body.innerText");
                let shown = shown.as_str().unwrap();
                let complaints = &self.complaints[..self.complaints.len().min(3)];
                panic!("{expression} stays {value:?}; {complaints:?}\n{shown}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a frame whose address ends with `address` has an element of this name.
    pub fn wait_in_frame(&mut self, address: &str, name: &str) {
        let began = Instant::now();
        loop {
            let all = self.call("DOM.getDocument", json!({ "depth": -1, "pierce": true }));
            if frame(&all["root"], address).is_some_and(|frame| has(frame, name)) {
                return;
            }
            assert!(began.elapsed() < LONGEST, "no frame of {address} has {name}: {all}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The addresses of all tabs.
    pub fn tabs(&mut self) -> Vec<String> {
        // The page's own session knows only of itself.
        let session = self.session.take();
        let targets = self.call("Target.getTargets", json!({}));
        self.session = session;
        let targets = targets["targetInfos"].as_array().unwrap().iter();
        targets.map(|target| target["url"].as_str().unwrap().to_string()).collect()
    }

    /// Goes to an address, as a user who enters it.
    pub fn open(&mut self, url: &str) {
        self.eval("window.isBefore = true");
        let failed = self.call("Page.navigate", json!({ "url": url }))["errorText"].clone();
        assert_eq!(failed, Value::Null, "{url}");
        self.wait("!window.isBefore && document.readyState === 'complete'");
    }

    /// Types a text, letter by letter, into what has the focus.
    pub fn write(&mut self, text: &str) {
        for letter in text.chars() {
            self.call("Input.insertText", json!({ "text": letter.to_string() }));
        }
    }

    /// Presses a key: `Enter`, `ArrowDown`, or a sign.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            sign => sign.to_ascii_uppercase().as_bytes()[0].into(),
        };
        let text = match key {
            "Enter" => "\r",
            sign if sign.chars().count() == 1 => sign,
            _ => "",
        };
        for (kind, text) in [("keyDown", text), ("keyUp", "")] {
            let event = json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks in the middle of the first element that a selector names, once it stands still and nothing covers it.
    pub fn click(&mut self, selector: &str) {
        let selector = json!(selector);
        self.wait(&format!(
            "new Promise((done) => {{
                const it = document.querySelector({selector});
                if (!it) return done(false);
                it.scrollIntoView({{ block: 'center' }});
                const middle = () => {{
                    const box = it.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }};
                const before = middle();
                requestAnimationFrame(() => requestAnimationFrame(() => {{
                    const [x, y] = (window.clickedAt = middle());
                    done(x === before[0] && y === before[1] && it.contains(document.elementFromPoint(x, y)));
                }}));
            }})"
        ));
        let at = self.eval("window.clickedAt");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// The text of the first element that a selector names; empty if there is none.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({})?.innerText ?? ''", json!(selector)));
        text.as_str().unwrap().to_string()
    }

    /// Sets the size of the screen, in CSS pixels, and its colours.
    pub fn show_on(&mut self, screen: Screen) {
        let Screen { width, height, phone, dark } = screen;
        let scale = if phone { 2 } else { 1 };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
        let colours = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": colours }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }
}

/// The document of a frame below a node.
fn frame<'n>(node: &'n Value, address: &str) -> Option<&'n Value> {
    let content = &node["contentDocument"];
    if content["documentURL"].as_str().is_some_and(|url| url.ends_with(address)) {
        return Some(content);
    }
    let children = node["children"].as_array().into_iter().flatten();
    children.chain([content]).filter(|child| !child.is_null()).find_map(|child| frame(child, address))
}

/// Whether an element stands below a node.
fn has(node: &Value, name: &str) -> bool {
    node["nodeName"] == name
        || node["children"].as_array().is_some_and(|all| all.iter().any(|one| has(one, name)))
}

/// What a page is shown on.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    pub phone: bool,
    pub dark: bool,
}

impl Screen {
    pub const DESK: Screen = Screen { width: 1280, height: 860, phone: false, dark: false };
    pub const PHONE: Screen = Screen { width: 390, height: 844, phone: true, dark: false };

    pub fn dark(self) -> Screen {
        Screen { dark: true, ..self }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Its own processes end with it.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Chromium's sandbox doesn't work for root.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}
