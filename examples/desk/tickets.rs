//! The tickets of the support desk.

pub struct Ticket {
    pub id: &'static str,
    pub product: &'static str,
    pub opened: &'static str,
    pub tags: &'static [&'static str],
    pub title: &'static str,
    pub text: &'static str,
    /// What a customer with the same trouble types.
    pub asked: [&'static str; 2],
}

pub const TICKETS: [Ticket; 24] = [
    Ticket {
        id: "T-001",
        product: "printer",
        opened: "2024-02-03",
        tags: &["urgent", "hardware"],
        title: "Printer prints blank pages",
        text: "After the new cartridge was put in, every page comes out white. Cleaning the \
               head twice did not help; the tape on the nozzle was still on.",
        asked: ["pages come out white", "nothing on the paper"],
    },
    Ticket {
        id: "T-002",
        product: "printer",
        opened: "2024-02-11",
        tags: &["hardware"],
        title: "Paper jam in tray two",
        text: "The sheet folds at the roller of the second tray. A torn corner sat behind the \
               rear cover and was pulled out.",
        asked: ["sheet stuck in the tray", "jammed paper"],
    },
    Ticket {
        id: "T-003",
        product: "printer",
        opened: "2024-03-01",
        tags: &["network"],
        title: "Printer not found on the network",
        text: "It moved to another subnet after the router was replaced. A fixed address and a \
               new queue brought it back.",
        asked: ["can't see the printer", "printer offline since new router"],
    },
    Ticket {
        id: "T-004",
        product: "printer",
        opened: "2023-06-20",
        tags: &["hardware", "warranty"],
        title: "Streaks on every photo",
        text: "Fine lines across photos, worst in blue. Alignment failed twice, so the print \
               head was replaced under warranty.",
        asked: ["lines across my photos", "blue streaks"],
    },
    Ticket {
        id: "T-005",
        product: "printer",
        opened: "2024-04-17",
        tags: &["urgent"],
        title: "Print queue stuck before payday",
        text: "Eighty payslips wait behind one broken document. The spooler was stopped, the \
               folder emptied and the service started.",
        asked: ["payslips do not print", "queue does not move"],
    },
    Ticket {
        id: "T-006",
        product: "laptop",
        opened: "2024-01-09",
        tags: &["hardware", "urgent"],
        title: "Laptop does not wake from sleep",
        text: "The lid opens to a black screen and a running fan. New firmware for the graphics \
               chip cured it.",
        asked: ["screen stays black after sleep", "won't wake up"],
    },
    Ticket {
        id: "T-007",
        product: "laptop",
        opened: "2024-01-22",
        tags: &["hardware"],
        title: "Battery swells",
        text: "The touchpad lifts and clicks by itself because the battery under it has \
               swollen. Do not charge it; a replacement was sent.",
        asked: ["touchpad bulges", "battery is thick"],
    },
    Ticket {
        id: "T-008",
        product: "laptop",
        opened: "2023-11-02",
        tags: &["software"],
        title: "Fan is loud when idle",
        text: "An indexing service ran all day over a network drive. It was told to leave that \
               drive out.",
        asked: ["noisy fan", "laptop is loud all day"],
    },
    Ticket {
        id: "T-009",
        product: "laptop",
        opened: "2024-05-05",
        tags: &["network"],
        title: "Wireless drops every few minutes",
        text: "Power saving switched the card off. The setting is in the device manager, on the \
               last tab.",
        asked: ["wifi keeps disconnecting", "loses connection"],
    },
    Ticket {
        id: "T-010",
        product: "laptop",
        opened: "2024-05-30",
        tags: &["software", "security"],
        title: "Disk asks for a recovery key",
        text: "The firmware update changed what the lock measures. The key is printed in the \
               account portal, below devices.",
        asked: ["blue screen wants a key", "where is my recovery key"],
    },
    Ticket {
        id: "T-011",
        product: "account",
        opened: "2024-02-14",
        tags: &["security", "urgent"],
        title: "Locked out after three tries",
        text: "The account opens by itself after thirty minutes, or at once when the second \
               factor is confirmed by telephone.",
        asked: ["account is locked", "too many wrong passwords"],
    },
    Ticket {
        id: "T-012",
        product: "account",
        opened: "2024-03-19",
        tags: &["security"],
        title: "New telephone, no second factor",
        text: "The old device is taken off the list by the desk after a call back, and the new \
               one is added with a code.",
        asked: ["lost my phone can't sign in", "second factor on a new phone"],
    },
    Ticket {
        id: "T-013",
        product: "account",
        opened: "2023-09-12",
        tags: &["billing"],
        title: "Charged twice in September",
        text: "The card was tried again after a time-out. The second charge was returned within \
               five days.",
        asked: ["paid two times", "double charge"],
    },
    Ticket {
        id: "T-014",
        product: "account",
        opened: "2024-06-01",
        tags: &["billing", "legal"],
        title: "Invoice needs the company's number",
        text: "The tax number stands in the profile, below company. Invoices that were sent are \
               made anew on request.",
        asked: ["tax number missing on the bill", "correct an invoice"],
    },
    Ticket {
        id: "T-015",
        product: "account",
        opened: "2024-06-15",
        tags: &["software"],
        title: "Mail does not leave the outbox",
        text: "One attachment was larger than the server takes. It went as a link instead.",
        asked: ["email stuck in outbox", "can't send a big attachment"],
    },
    Ticket {
        id: "T-016",
        product: "phone",
        opened: "2024-04-02",
        tags: &["hardware"],
        title: "Echo in every call",
        text: "The headset's volume fed back into its own microphone. A foam cover ended it.",
        asked: ["I hear myself on calls", "echo on the line"],
    },
    Ticket {
        id: "T-017",
        product: "phone",
        opened: "2024-04-28",
        tags: &["network", "urgent"],
        title: "No dial tone on the second floor",
        text: "A switch lost power when the cleaner's plug took its socket. Telephones came \
               back one after the other.",
        asked: ["phones are dead upstairs", "no tone"],
    },
    Ticket {
        id: "T-018",
        product: "phone",
        opened: "2023-12-24",
        tags: &["software"],
        title: "Voicemail does not take messages",
        text: "The box was full with two hundred old greetings. They are now deleted after a \
               month.",
        asked: ["callers can't leave a message", "mailbox full"],
    },
    Ticket {
        id: "T-019",
        product: "phone",
        opened: "2024-07-07",
        tags: &["hardware", "warranty"],
        title: "Handset cracked",
        text: "It fell from the desk. The warranty leaves falls out; a used one was sent at \
               half the price.",
        asked: ["broken phone screen", "dropped the handset"],
    },
    Ticket {
        id: "T-020",
        product: "phone",
        opened: "2024-07-21",
        tags: &["software"],
        title: "Forwarding to a mobile stops at noon",
        text: "The timetable of the forwarding had an end. It was set to the whole day.",
        asked: ["calls not forwarded in the afternoon", "redirect to my cell stops"],
    },
    Ticket {
        id: "T-021",
        product: "account",
        opened: "2021-05-04",
        tags: &["legal"],
        title: "Data of a former customer",
        text: "Everything but the invoices was erased, and the customer was told in writing.",
        asked: ["delete my data", "right to be forgotten"],
    },
    Ticket {
        id: "T-022",
        product: "laptop",
        opened: "2020-03-03",
        tags: &["software"],
        title: "Browser shows the old intranet",
        text: "The cache kept a redirect. Emptying it helped.",
        asked: ["old intranet page", "wrong start page"],
    },
    Ticket {
        id: "T-023",
        product: "printer",
        opened: "2019-08-08",
        tags: &["hardware"],
        title: "Toner spilled",
        text: "The cartridge leaked on the carpet. The vacuum cleaner for toner is in room \
               nine.",
        asked: ["black powder everywhere", "toner on the carpet"],
    },
    Ticket {
        id: "T-024",
        product: "phone",
        opened: "2024-08-01",
        tags: &["note"],
        title: "Test ticket",
        text: "Please ignore.",
        asked: ["test", "ignore"],
    },
];
