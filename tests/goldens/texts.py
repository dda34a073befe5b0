"""The texts that the goldens answer. Every sentence here was written for this project.

Invisible and decomposed characters are written as escapes, so that an editor
that normalises or strips them cannot change a golden without a visible diff.
"""

SHORT = """
Hello.
Good morning, neighbour!
The kettle is boiling.
Nobody answered the door.
What a wonderful surprise!
I would not buy this again.
She laughed.
Rain again
no
YES
Where is the nearest pharmacy?
Thanks for nothing.
It works.
It does not work.
Delicious soup, terrible service.
Please stop.
Two plus two is four.
Shipping was slow
Best purchase this year!!
meh
""".strip().splitlines()

ONE_CHARACTER = [
    "a", "Z", "7", "?", ".", "-", "#", "\u00e9", "\u00df", "\u0434", "\u4e2d", "\ud55c",
    "\u05d0", "\u0639", "\u0e01", "\u0905", "\u20ac", "\u221e", "\U0001f600", "\u0301", "\u200d", "~",
]

MEDIUM = """
The baker opens her shop before dawn so that the first train passengers can buy warm bread.
Our heating failed twice in January, and both times the technician arrived within the hour.
A museum guard noticed that one of the paintings had been hung upside down for a week.
Although the trail was steep, the children reached the hut before their grandparents did.
He measured the plank three times, cut it once, and still found it a finger too short.
The committee postponed its vote because half of the members were stuck behind a fallen tree.
When the tide goes out, the harbour smells of salt, rope and yesterday's fish.
My phone battery lasts a day and a half if I leave the navigation switched off.
The second edition corrects a map on which north and south had changed places.
Every spring the librarian repairs the bindings of the books that people love most.
The recipe asks for two lemons, but one large lemon and a little vinegar will do.
They painted the fence green, then blue, and finally the colour it had been before.
An empty tram crossed the bridge at midnight with all of its lights on.
The customer asked for a refund, received a voucher, and wrote a very long letter.
Small engines get hot quickly, so let this one rest after twenty minutes of work.
The violinist tuned her instrument in the stairwell because the echo flattered it.
Nothing in the manual explains why the red lamp blinks when the door is closed.
If the parcel has not come by Friday, call the depot and mention the order number.
The old bridge carries bicycles now, while lorries use the tunnel to the east.
It is hard to be angry with a dog that brings you the newspaper, even a wet one.
The interest rate rose by a quarter of a point, which nobody in the room had expected.
Our neighbours grow tomatoes on the balcony and give most of them away in August.
The film begins slowly, loses its way in the middle, and ends just when it becomes good.
A thin layer of frost had turned the whole orchard white by the time we woke up.
The lecture on sea birds drew more listeners than the one on tax law next door.
She speaks four languages and is silent in all of them before her first coffee.
The app crashes whenever I rotate the screen during a video call.
Water boils at a lower temperature in the mountains, so the pasta needs a bit longer.
The orchestra rehearsed without its conductor and discovered that it could.
I have worn these boots for three winters and the soles still look new.
The witness described a grey van, a tall man, and a parrot in a golden cage.
Solar panels on the school roof now supply more power than the building uses in June.
Because the ink was cheap, the contract faded before the dispute came to court.
A gentle push is enough to start the pendulum, and friction is enough to stop it.
The hotel was clean and quiet, yet the breakfast could have been served warm.
Someone left a chess set in the waiting room, and now no patient minds the delay.
The gardener trusts the almanac less than the ache in his left knee.
This cable fits both connectors but charges the tablet in only one direction.
The mayor promised a new playground; the children promised to hold her to it.
We missed the last ferry and slept under a tarpaulin beside the fishing nets.
Copper turns green with age, and the roof of the town hall is proof of that.
The translation is faithful to the words and unfaithful to the jokes.
Her bicycle has no lights, one brake, and a bell that can be heard across the valley.
The surgeon explained the operation with a pencil, a napkin and two teaspoons.
Do not store the batteries in the refrigerator, whatever your uncle says.
The apprentice swept the workshop every evening and learned the names of the tools.
Fog delayed the flight by six hours, during which the airport ran out of sandwiches.
A good map shows what is there; a better one shows what you can leave out.
The dictionary lists nine meanings for the word and forgets the one that we needed.
They argued about the fence for ten years and then planted a hedge together.
""".strip().splitlines()

EMOJI = [
    "I love this \U0001f60d",
    "\U0001f600\U0001f603\U0001f604\U0001f601",
    "family trip \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 was great",
    "flags: \U0001f1eb\U0001f1f7 \U0001f1ef\U0001f1f5 \U0001f1e7\U0001f1f7",
    "thumbs \U0001f44d\U0001f3fb \U0001f44d\U0001f3fd \U0001f44d\U0001f3ff up",
    "heart \u2764\ufe0f and heart \u2764",
    "rainbow flag \U0001f3f3\ufe0f\u200d\U0001f308",
    "keycap 3\ufe0f\u20e3 and \u00a9\ufe0f",
    "coding late \U0001f469\U0001f3fe\u200d\U0001f4bb again",
    "pizza\U0001f355without\U0001f355spaces",
]

RIGHT_TO_LEFT = [
    "\u0627\u0644\u0642\u0637\u0629 \u0646\u0627\u0626\u0645\u0629 \u0639\u0644\u0649 \u0627\u0644\u0643\u0631\u0633\u064a",
    "\u0648\u0635\u0644 \u0627\u0644\u0642\u0637\u0627\u0631 \u0645\u062a\u0623\u062e\u0631\u0627 \u0633\u0627\u0639\u0629 \u0643\u0627\u0645\u0644\u0629.",
    "\u0643\u064e\u062a\u064e\u0628\u064e \u0627\u0644\u0648\u064e\u0644\u064e\u062f\u064f \u0631\u0650\u0633\u0627\u0644\u0629",
    "\u05d4\u05d9\u05dc\u05d3\u05d4 \u05e7\u05d5\u05e8\u05d0\u05ea \u05e1\u05e4\u05e8 \u05d1\u05d2\u05d9\u05e0\u05d4",
    "\u05d4\u05de\u05e8\u05e7 \u05d4\u05d9\u05d4 \u05e7\u05e8 \u05d5\u05d4\u05e9\u05d9\u05e8\u05d5\u05ea \u05d0\u05d9\u05d8\u05d9",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u05dc\u05b7\u05db\u05bc\u05b9\u05dc",
    "order 12 \u05d7\u05d1\u05d9\u05dc\u05d5\u05ea \u200fby\u200e Friday",
    "\u0628\u0627\u0631\u0627\u0646 \u0627\u0632 \u0635\u0628\u062d \u0645\u06cc\u200c\u0628\u0627\u0631\u062f",
]

SCRIPTS = [
    "\u6628\u5929\u665a\u4e0a\u6cb3\u8fb9\u5f88\u5b89\u9759\u3002",
    "\u8fd9\u5bb6\u9910\u5385\u7684\u6c64\u5f88\u597d\u559d\uff0c\u4f46\u662f\u592a\u8d35\u4e86\u3002",
    "\u9019\u672c\u66f8\u6bd4\u6211\u60f3\u50cf\u7684\u539a",
    "\u96e8\u304c\u3084\u3093\u3060\u306e\u3067\u3001\u5ead\u306e\u732b\u304c\u623b\u3063\u3066\u304d\u305f\u3002",
    "\u30c8\u30de\u30c8\u30b9\u30fc\u30d7\u3092\u3072\u3068\u3064\u304f\u3060\u3055\u3044",
    "\uff26\uff55\uff4c\uff4c\uff57\uff49\uff44\uff54\uff48\u3000\uff11\uff12\uff13",
    "\uff76\uff9e\uff77\uff9e \u534a\u89d2",
    "\uc624\ub298 \uc544\uce68\uc5d0\ub294 \ube75\uc774 \ub530\ub73b\ud588\uc5b4\uc694.",
    "\ubc84\uc2a4\uac00 \uc548 \uc640\uc11c \uac78\uc5b4\uac14\uc2b5\ub2c8\ub2e4",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "\u0e27\u0e31\u0e19\u0e19\u0e35\u0e49\u0e2d\u0e32\u0e01\u0e32\u0e28\u0e14\u0e35\u0e21\u0e32\u0e01",
    "\u0e02\u0e49\u0e32\u0e27\u0e1c\u0e31\u0e14\u0e08\u0e32\u0e19\u0e19\u0e35\u0e49\u0e40\u0e1c\u0e47\u0e14\u0e40\u0e01\u0e34\u0e19\u0e44\u0e1b",
    "\u092c\u091a\u094d\u091a\u0947 \u0928\u0926\u0940 \u0915\u0947 \u0915\u093f\u0928\u093e\u0930\u0947 \u0916\u0947\u0932 \u0930\u0939\u0947 \u0939\u0948\u0902\u0964",
    "\u092e\u0941\u091d\u0947 \u092f\u0939 \u0915\u093f\u0924\u093e\u092c \u092a\u0938\u0902\u0926 \u0939\u0948",
    "\u041d\u0430 \u043f\u043e\u0434\u043e\u043a\u043e\u043d\u043d\u0438\u043a\u0435 \u0441\u043f\u0438\u0442 \u0440\u044b\u0436\u0438\u0439 \u043a\u043e\u0442.",
    "\u041f\u043e\u0435\u0437\u0434 \u043e\u043f\u043e\u0437\u0434\u0430\u043b, \u0438 \u043c\u044b \u043f\u043e\u0448\u043b\u0438 \u043f\u0435\u0448\u043a\u043e\u043c.",
    "\u0407\u0436\u0430\u043a \u043d\u0435\u0441\u0435 \u044f\u0431\u043b\u0443\u043a\u043e \u0434\u043e \u043b\u0456\u0441\u0443",
    "\u0397 \u03b3\u03ac\u03c4\u03b1 \u03ba\u03bf\u03b9\u03bc\u03ac\u03c4\u03b1\u03b9 \u03c3\u03c4\u03bf\u03c5\u03c2 \u039f\u0394\u039f\u03a5\u03a3",
    "\u10d3\u10d8\u10da\u10d0 \u10db\u10e8\u10d5\u10d8\u10d3\u10dd\u10d1\u10d8\u10e1\u10d0",
    "\u0532\u0561\u0580\u0565\u0582 \u0571\u0565\u0566",
    "\u0bae\u0bb4\u0bc8 \u0baa\u0bc6\u0baf\u0bcd\u0b95\u0bbf\u0bb1\u0ba4\u0bc1",
    "\u12c8\u1295\u12d9 \u133d\u1325 \u1290\u12cd",
    "\u03a9 \u2126 \u212b \u00c5 \ufb01n \u0132 \u01c6",
    "\U00020000\U0002a6d6 rare ideographs",
]

ACCENTS = [
    "Le gar\u00e7on a mang\u00e9 une cr\u00eape br\u00fbl\u00e9e",
    "Le garc\u0327on a mange\u0301 une cre\u0302pe bru\u0302le\u0301e",
    "Stra\u00dfenb\u00e4ckerei und \u00c4pfel f\u00fcr \u00d6mer",
    "Stra\u00dfenba\u0308ckerei und A\u0308pfel fu\u0308r O\u0308mer",
    "\u00bfD\u00f3nde est\u00e1 el ping\u00fcino?",
    "\u0130stanbul'da \u0131l\u0131k bir ak\u015fam",
    "Bu\u1ed5i s\u00e1ng tr\u1eddi c\u00f3 s\u01b0\u01a1ng m\u00f9",
    "Z\u0306a\u0301\u0323\u0302lgo\u0338\u0334 te\u0361xt",
    "na\u00efve co\u00f6perative r\u00e9sum\u00e9 fa\u00e7ade",
    "\u0141\u00f3d\u017a \u017b\u00f3\u0142w \u0105\u0119",
    "cafe\u0301 caf\u00e9 cafe",
    "\u00d8resund \u00e6bler \u00e5r",
]

CONTROL = [
    "null\u0000inside",
    "bell\u0007rings",
    "zero\u200bwidth\u200bspace",
    "\ufeffbyte order mark first",
    "line\u2028separator and paragraph\u2029separator",
    "no\u00a0break\u00a0space",
    "replacement \ufffd character",
    "tab\tseparated\tvalues",
    "two\nlines\nhere",
    "windows\r\nline ending",
    "soft\u00adhyphen",
    "escape \u001b[31mred\u001b[0m",
    "form\u000cfeed and vertical\u000btab",
    "private \ue000 use and \U000f0000 plane",
    "unassigned \u0378 and noncharacter \ufffe",
    "next\u0085line",
    "ideographic\u3000space",
    "en\u2002space thin\u2009space hair\u200aspace",
    "word\u2060joiner and \u202abidi\u202c marks",
    "unit\u001fseparator\u001crecord",
    "delete\u007fcharacter and \u0080 padding",
]

BLANK = ["", " ", "   ", "\n\t", "\u200b", "\u0000", "\ufeff", "\u00a0\u2003", "\r\n\r\n", "\u0301\u0302"]

SPECIAL = [
    "[CLS]", "[SEP] hello", "[MASK]", "[UNK]", "[PAD] x", "x [PAD]", "[PAD][PAD][PAD]",
    "the [MASK] sat on the mat", "[CLS] one [SEP] two [SEP]", "[cls] lower case", "[ CLS ]", "[CLS]glued[SEP]",
    "[unused1] token", "##ing", "un ##able", "<s> other </s> family <pad>",
]

SYMBOLS = [
    "https://example.org/path/to/page?query=1&sort=desc#top",
    "Write to someone@example.com or call +49 (0)30 123456-78.",
    "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }",
    "def area(r): return 3.14159 * r ** 2  # circle",
    "SELECT name FROM boats WHERE length > 12 ORDER BY name;",
    '{"name": "pump", "flow": 3.5e-2, "on": true}',
    "<p class=\"note\">Mind the <b>gap</b> &amp; the step</p>",
    "1234567890 12,345.67 1e-9 0x1F 3/4 50%",
    "2031-02-29T25:61:00Z is not a date",
    "!!!??? ... --- ___ *** ///",
    "($%&) [brackets] {braces} <angles>",
    "\u00ab guillemets \u00bb \u201cquotes\u201d \u2018single\u2019 \u2014 dash \u2026 dots",
    "C:\\Users\\mill\\wheel.txt",
    "a.b.c-d_e+f=g",
    "x\u00b2 + y\u00b2 \u2264 r\u00b2 \u21d2 \u2208 \u2211",
    "price: \u20ac9.99, \u00a37, \u00a51000, $5",
    "don't can't it's o'clock rock'n'roll",
    "state-of-the-art, twenty-one, e-mail",
    "#trending @friend ^caret `tick`",
    "ALL CAPS AND MiXeD cAsE",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "antidisestablishmentarianism pneumonoultramicroscopic",
    "version 2.0.1-rc.3+build.7",
    "\u2460 \u2461 \u00bd \u2122 \u2103 \u33a1 \u3231",
]

MIXED = [
    "We ordered \u0431\u043e\u0440\u0449 and \u5bff\u53f8 in the same caf\u00e9 \U0001f372",
    "\u6211\u7528Rust\u5199\u4e86\u4e00\u4e2aparser",
    "email\u3092\u9001\u3063\u3066 please",
    "The word \u05e9\u05dc\u05d5\u05dd means peace, \u0633\u0644\u0627\u0645 too",
    "\u0440aypal with a Cyrillic \u0440",
    "100\u20ac f\u00fcr 2 \u6708",
    "  leading and trailing spaces  ",
    "many     inner      spaces",
    "\ttab first, then\n\n\nblank lines\n",
    "\uae40\uce58 kimchi \u30ad\u30e0\u30c1 \u043a\u0438\u043c\u0447\u0438",
]

# Each of these words is one token of the uncased BERT vocabulary, so a text of
# n words is exactly n tokens long; `make.py` asserts it.
COMMON_WORDS = (
    "the quiet river runs past old stone walls and small farms where people still plant corn by hand "
    "every year before the first warm rain comes down from the hills"
).split()


def words(count):
    """A text of exactly `count` common words, which no other length is a rotation of."""
    return " ".join(COMMON_WORDS[(i * 5 + i // 7 + count) % len(COMMON_WORDS)] for i in range(count))


# Without [CLS] and [SEP] the model has room for 254 tokens, with them for 256.
BOUNDARY = range(251, 259)

LONG = {
    "long-300-words": words(300),
    "long-sentences": " ".join(MEDIUM[:30]),
    "long-600-words": words(600),
    "long-cjk": SCRIPTS[0] * 40,
    "long-punctuation": "?!" * 400,
    "long-emoji": "\U0001f600 " * 300,
    "long-mixed": " ".join(SCRIPTS + ACCENTS + EMOJI),
    "word-10000": "w" * 10_000,
    "words-of-100": " ".join(letter * 100 for letter in "abcdefghij"),
    "words-of-101": " ".join(letter * 101 for letter in "abcdefghij"),
    "words-of-100-and-101": " ".join(["x" * 100, "word", "y" * 101, "z" * 99] * 8),
    "word-of-101-emoji": "\U0001f600" * 101,
}


def minilm_texts():
    groups = {
        "short": SHORT, "one": ONE_CHARACTER, "medium": MEDIUM, "emoji": EMOJI, "rtl": RIGHT_TO_LEFT,
        "script": SCRIPTS, "accent": ACCENTS, "control": CONTROL, "blank": BLANK, "special": SPECIAL,
        "symbol": SYMBOLS, "mixed": MIXED,
    }
    cases = [{"id": f"{name}-{i:02}", "text": text} for name, group in groups.items() for i, text in enumerate(group)]
    cases += [{"id": f"boundary-{n}", "text": words(n)} for n in BOUNDARY]
    cases += [{"id": name, "text": text} for name, text in LONG.items()]
    return cases


# --- the tiny models -------------------------------------------------------

MEDIUM_TEXT = MEDIUM[0]

TINY = {
    "hello": "Hello.",
    "one": "a",
    "medium": MEDIUM_TEXT,
    "sentence": MEDIUM[13],
    "case": "The Baker Sold WARM Bread",
    "accent-nfc": "cr\u00eape \u00e0 la caf\u00e9",
    "accent-nfd": "cre\u0302pe a\u0300 la cafe\u0301",
    "cyrillic": SCRIPTS[14],
    "cjk": SCRIPTS[1],
    "hangul": SCRIPTS[7],
    "thai": SCRIPTS[10],
    "arabic": RIGHT_TO_LEFT[0],
    "hebrew": RIGHT_TO_LEFT[4],
    "emoji": "trip \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1eb\U0001f1f7",
    "control": "bell\u0007 null\u0000 bom\ufeff zero\u200bwidth \ufffd",
    "separators": "line\u2028one\u00a0two\tthree\r\nfour\u3000five",
    "empty": "",
    "spaces": "   ",
    "newline-tab": "\n\t",
    "padded-with-spaces": "  the river  runs   \n",
    "numbers": "12,345.67 is 50% of 3e4!?",
    "code": "if (a[i] <= b) { return x + 1; }",
    "compatibility": "\ufb01n \uff11\uff12 \u33a1 \u212b \u2460",
    "bert-specials": "[CLS] the [MASK] ran [SEP] home [UNK]",
    "bert-pad": "[PAD] the river [PAD]",
    "roberta-specials": "<s> the <mask> ran </s> home <unk>",
    "roberta-pad": "<pad> the river <pad> runs <pad>",
    "pad-only": "<pad>",
    "long-word": "the " + "m" * 150 + " river",
    "long": " ".join(MEDIUM[1:4]),
    "longer": " ".join(MEDIUM[4:12]),
    "long-cjk": SCRIPTS[0] * 12,
    "long-pads": "<pad>[PAD] warm bread " * 30,
}

PAIRS = {
    "pair": ("Where is the bread?", "The baker opens her shop before dawn."),
    "pair-same": ("the river runs", "the river runs"),
    "pair-first-empty": ("", "the river runs"),
    "pair-emoji": ("I love this \U0001f60d", SCRIPTS[14]),
    "pair-specials": ("[SEP] one </s>", "<pad> two [PAD]"),
    "pair-long-first": (" ".join(MEDIUM[20:24]), "Is the interest rate higher?"),
    "pair-long-second": ("Is the hedge new?", " ".join(MEDIUM[46:50])),
    "pair-both-long": (" ".join(MEDIUM[30:33]), " ".join(MEDIUM[33:37])),
    "pair-longest-by-one": (MEDIUM[6] + " " + MEDIUM[7], MEDIUM[8] + " " + MEDIUM[9]),
}


def training_texts():
    """What the tiny vocabularies are trained on: scripts with few letters, so that a few
    hundred entries suffice and the other scripts exercise the unknown token."""
    plain = SHORT + MEDIUM + ACCENTS + SYMBOLS + [SCRIPTS[14], SCRIPTS[15]]
    return [text for text in plain if all(ord(c) < 0x500 for c in text)]
