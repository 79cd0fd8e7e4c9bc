/** Hostile document, made on demand because some are large. */
export interface HostileDocument {
  readonly name: string;
  /** Text of the error after "Cannot read ". */
  readonly error: RegExp;
  make(): Uint8Array;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function utf16(text: string, mark: boolean): Uint8Array {
  const units = Uint16Array.from(mark ? `\ufeff${text}` : text, (character) => character.charCodeAt(0));
  return new Uint8Array(units.buffer);
}

function hostile(name: string, error: RegExp, make: () => Uint8Array | string): HostileDocument {
  return { name, error, make: () => ((made) => (typeof made === "string" ? utf8(made) : made))(make()) };
}

const TOO_LONG = /^the XML: it has more than 1048576 bytes, the most that a document may have$/;
const MiB = 1 << 20;
const billionLaughs = [..."abcdefgh"].map((name, index, all) => {
  const inner = index === 0 ? "lol" : `&${all[index - 1]};`.repeat(10);
  return `<!ENTITY ${name} "${inner}">`;
});

/** Large and binary documents. The readable ones are files in test/data/xml-bad/. */
export const hostileDocuments: readonly HostileDocument[] = [
  hostile(
    "entity bomb",
    /^the XML in line 1, column 1: a DOCTYPE/,
    () => `<!DOCTYPE d [${billionLaughs.join("")}]><d>&h;</d>`,
  ),
  hostile(
    "quadratic entity bomb",
    /^the XML in line 1, column 1: a DOCTYPE/,
    () => `<!DOCTYPE d [<!ENTITY a "${"a".repeat(100_000)}">]><d>${"&a;".repeat(100_000)}</d>`,
  ),
  hostile("50 MB of blanks", TOO_LONG, () => new Uint8Array(50_000_000).fill(0x20)),
  hostile(
    "50 MB of a name",
    TOO_LONG,
    () => `<domain type='kvm'><name>${"a".repeat(50_000_000)}</name></domain>`,
  ),
  hostile("50 MB of elements", TOO_LONG, () => `<domain>${"<a/>".repeat(12_500_000)}</domain>`),
  hostile("50 MB of zeros", TOO_LONG, () => new Uint8Array(50_000_000)),
  hostile("1 MiB of zeros", /^the XML in line 1, column 1: the character U\+0000/, () => new Uint8Array(MiB)),
  hostile(
    "10,000 deep",
    /column 1281: elements nested more than 256 deep$/,
    () => "<abc>".repeat(10_000) + "</abc>".repeat(10_000),
  ),
  hostile("200,000 deep and unclosed", /column 769: elements nested more than 256 deep$/, () =>
    "<a>".repeat(200_000),
  ),
  hostile(
    "200,000 elements",
    /more than 20000 elements$/,
    () => `<domain>${"<a/>".repeat(200_000)}</domain>`,
  ),
  hostile(
    "19,998 unknown elements",
    /^\/domain\/a\[1\] in line 1: svirt does not know it$/,
    () => `<domain>${"<a/>".repeat(19_998)}</domain>`,
  ),
  hostile(
    "150,000 attributes",
    /more than 64 attributes$/,
    () => `<domain ${Array.from({ length: 80_000 }, (_, index) => `a${index}=''`).join(" ")}/>`,
  ),
  hostile("1,000,000 attributes", TOO_LONG, () => `<domain ${"a='' ".repeat(1_000_000)}/>`),
  hostile("an attribute twice", /the attribute a occurs twice$/, () => `<domain ${"a='' ".repeat(2)}/>`),
  hostile("a name of 1 MB", /^\/a{64} in line 1: it is not a <domain>$/, () => `<${"a".repeat(1_000_000)}/>`),
  hostile(
    "an attribute's name of 1 MB",
    /^\/domain\/@a{63}… in line 1: svirt does not know it$/,
    () => `<domain ${"a".repeat(1_000_000)}=''/>`,
  ),
  hostile(
    "an attribute's value of 1 MB",
    /^\/domain\/@type in line 1: "a{80}…" is not/,
    () => `<domain type='${"a".repeat(1_000_000)}'><name>a</name></domain>`,
  ),
  hostile(
    "a text of 1 MB",
    /^\/domain\/name in line 1: "a{80}…" is not a name/,
    () => `<domain type='kvm'><name>${"a".repeat(1_000_000)}</name></domain>`,
  ),
  hostile(
    "a path of 1 MB of slashes",
    /^\/domain\/os\/kernel in line 1: "\/{80}…" is not/,
    () =>
      `<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type><kernel>${"/".repeat(1_000_000)}</kernel></os></domain>`,
  ),
  hostile(
    "a comment of 1 MB without an end",
    /^the XML in line 1, column 9: the comment contains/,
    () => `<domain><!--${"a".repeat(1_000_000)}`,
  ),
  hostile(
    "100,000 comments",
    /^\/domain\/@type in line 1: it is missing$/,
    () => `<domain>${"<!---->".repeat(100_000)}</domain>`,
  ),
  hostile(
    "200,000 pieces of text",
    /^\/domain\/text\(\) in line 1: svirt does not know it$/,
    () => `<domain>${"a<?b?>".repeat(170_000)}</domain>`,
  ),
  hostile(
    "a processing instruction of 500,000 words",
    /^\/domain\/@type in line 1: it is missing$/,
    () => `<domain><?a ${"b ".repeat(500_000)}?></domain>`,
  ),
  hostile(
    "a processing instruction of 1 MB of equals signs",
    /^\/domain\/@type in line 1: it is missing$/,
    () => `<domain><?a ${"=".repeat(1_000_000)}?></domain>`,
  ),
  hostile(
    "200,000 processing instructions",
    /^\/domain\/@type in line 1: it is missing$/,
    () => `<domain>${"<?a?>".repeat(200_000)}</domain>`,
  ),
  hostile(
    "1,000,000 quotes",
    /^\/domain\/text\(\) in line 1: svirt does not know it$/,
    () => `<domain>${`'"`.repeat(500_000)}</domain>`,
  ),
  hostile(
    "an attribute with 1 MB of blanks and no value",
    /^the XML in line 1, column 9: an attribute must have the form name='value'$/,
    () => `<domain a${" ".repeat(1_000_000)}/>`,
  ),
  hostile(
    "19,998 elements of different names",
    /^\/domain\/a0 in line 1: svirt does not know it$/,
    () => `<domain>${Array.from({ length: 19_998 }, (_, index) => `<a${index}/>`).join("")}</domain>`,
  ),
  hostile(
    "19,998 elements in a line of 1 MB",
    /^\/domain\/a\[1\] in line 1: svirt does not know it$/,
    () => `<domain>${`<a b='${"c".repeat(40)}'/>`.repeat(19_998)}</domain>`,
  ),
  hostile(
    "70,000 CDATA sections",
    /^\/domain\/text\(\) in line 1: svirt does not know it$/,
    () => `<domain>${"<![CDATA[a]]>".repeat(70_000)}</domain>`,
  ),
  hostile(
    "200,000 references",
    /^\/domain\/text\(\) in line 1: svirt does not know it$/,
    () => `<domain>${"&lt;".repeat(200_000)}</domain>`,
  ),
  hostile(
    "1,000,000 ampersands",
    /^the XML in line 1, column 9: this "&" does not begin/,
    () => `<domain>${"&".repeat(1_000_000)}</domain>`,
  ),
  hostile(
    "1,000,000 lines",
    /^the XML in line 1000001, column 1: <domain> has no end tag$/,
    () => `<domain>${"\n".repeat(1_000_000)}`,
  ),
  hostile("200,000 start brackets", /column 1: a name must follow "<"/, () => "<".repeat(200_000)),
  hostile(
    "a number of 1 MB",
    /^\/domain\/vcpu in line 1: "9{80}…" is not a whole number/,
    () => `<domain type='kvm'><name>a</name><memory>1</memory><vcpu>${"9".repeat(1_000_000)}</vcpu></domain>`,
  ),
  hostile(
    "80,000 names with a prefix, 250 deep",
    /^\/domain\/@xmlns:a in line 1: svirt does not know it$/,
    () => prefixes(250),
  ),
  hostile(
    "a disk for each of 6,000 targets",
    /^\/domain\/devices\/disk\[1\]\/target\/@dev in line 1: /,
    () =>
      `<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os><devices>${"<disk><source file='/a'/><target dev='a'/></disk>".repeat(6000)}</devices></domain>`,
  ),
  hostile("a chain of 300 images", /elements nested more than 256 deep$/, () => chain(300)),
  hostile("empty", /^the XML in line 1, column 1: it has no element$/, () => ""),
  hostile("only a byte order mark", /^the XML in line 1, column 1: it has no element$/, () => "\ufeff"),
  hostile(
    "two byte order marks",
    /^the XML in line 1, column 1: text outside the root element$/,
    () => "\ufeff\ufeff<domain/>",
  ),
  hostile(
    "a NUL in the middle",
    /^the XML in line 2, column 3: the character U\+0000 is not allowed/,
    () => "<domain>\na \0</domain>",
  ),
  hostile(
    "a NUL after the end",
    /^the XML in line 1, column 10: the character U\+0000 is not allowed/,
    () => "<domain/>\0<evil/>",
  ),
  hostile(
    "a bell in an attribute",
    /^the XML in line 1, column 15: the character U\+0007/,
    () => "<domain type='\u0007'/>",
  ),
  hostile(
    "a noncharacter",
    /^the XML in line 1, column 9: the character U\+FFFF/,
    () => "<domain>\uffff</domain>",
  ),
  hostile(
    "a lone surrogate, as WTF-8 has it",
    /^the XML in line 1, column 9: it has bytes that are not UTF-8$/,
    () => latin1("<domain>\xed\xa0\x80</domain>"),
  ),
  hostile("an overlong slash", /^the XML in line 1, column 9: it has bytes that are not UTF-8$/, () =>
    latin1("<domain>\xc0\xaf</domain>"),
  ),
  hostile("Latin-1", /^the XML in line 2, column 8: it has bytes that are not UTF-8$/, () =>
    latin1("<domain>\n<name>B\xfchne</name></domain>"),
  ),
  hostile("Latin-1 that says so", /^the XML in line 1, column 44: it has bytes that are not UTF-8$/, () =>
    latin1("<?xml version='1.0' encoding='ISO-8859-1'?>\xfc"),
  ),
  hostile(
    "a character cut off at the end",
    /^the XML in line 1, column 11: it has bytes that are not UTF-8$/,
    () => latin1("<domain/> \xe2\x82"),
  ),
  hostile("UTF-8 with 300,000 faults", /^the XML in line 1, column 1: it has bytes that are not UTF-8$/, () =>
    new Uint8Array(300_000).fill(0xff),
  ),
  hostile("UTF-16 with a mark", /^the XML in line 1, column 1: it is UTF-16 or UTF-32, and only/, () =>
    utf16("<domain type='kvm'/>", true),
  ),
  hostile("UTF-16 without a mark", /^the XML in line 1, column 1: it is UTF-16 or UTF-32, and only/, () =>
    utf16("<domain type='kvm'/>", false),
  ),
  hostile("UTF-32", /^the XML in line 1, column 1: it is UTF-16 or UTF-32, and only/, () =>
    latin1("\0\0\0<\0\0\0d\0\0\0/\0\0\0>"),
  ),
  hostile(
    "UTF-7 that says so",
    /^the XML in line 1, column 1: its encoding is declared as "UTF-7", and only UTF-8 is supported$/,
    () => "<?xml version='1.0' encoding='UTF-7'?><domain>+ADw-evil/+AD4-</domain>",
  ),
  hostile(
    "an ELF file",
    /^the XML in line 1, column 1: it has bytes that are not UTF-8$|^the XML in line 1, column \d+: the character U\+/,
    () => latin1("\x7fELF\x02\x01\x01\0\0\0\0\0"),
  ),
  hostile("a qcow2 image", /^the XML in line 1, column 4: it has bytes that are not UTF-8$/, () =>
    latin1("QFI\xfb\0\0\0\x03"),
  ),
  hostile("JSON", /^the XML in line 1, column 1: text outside the root element$/, () => '{"domain": 1}'),
];

function chain(images: number): string {
  const open = "<backingStore type='file'><format type='raw'/><source file='/a'/>".repeat(images);
  const disk = `<disk><source file='/a'/>${open}${"</backingStore>".repeat(images)}<target dev='vda'/></disk>`;
  return `<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os><devices>${disk}</devices></domain>`;
}

function prefixes(levels: number): string {
  const names = Array.from({ length: 64 }, (_, index) => `a:${index < 10 ? "b" : "c"}${index}=''`).join(" ");
  const inside = `<b ${names}/>`.repeat(1250);
  return `<domain xmlns:a='b'>${"<b>".repeat(levels)}${inside}${"</b>".repeat(levels)}</domain>`;
}
