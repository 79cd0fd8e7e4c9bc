import fc from "fast-check";

/** Pieces of markup: valid ones, broken ones, and those that XML parsers are known to read differently. */
export const PIECES: readonly string[] = [
  ...[
    "<a>",
    "</a>",
    "<b/>",
    "<a c='1'>",
    "<a c=1>",
    "<a c=\"&lt;'>\" d = '\">' >",
    "</a >",
    "< a>",
    "<a\n/>",
    "<a / >",
  ],
  ...[
    "<p:a/>",
    "<p:a>",
    "</p:a>",
    "<xmlns:a/>",
    "<xml:a/>",
    "<p:1/>",
    "<p:/>",
    "<:p/>",
    "<p:a:b/>",
    "<1/>",
    "<q:a/>",
  ],
  ...[
    "<a xmlns:q='urn:n'></a>",
    "<a xmlns='urn:n'>",
    "<a xmlns:q='urn:n' p:c='' q:c=''/>",
    "<a p:c='' xmlns:p=''/>",
    "<a c='' c=''/>",
  ],
  ...[
    "&amp;",
    "&#9;",
    "&#x41;",
    "&#0;",
    "&#xD800;",
    "&#x110000;",
    "&",
    "&lt",
    "&foo;",
    "&amp;#65;",
    "&#13;",
    "&nbsp;",
  ],
  ...[
    "<!-- d -->",
    "<!--",
    "-->",
    "<!-- a--b -->",
    "<!---->",
    "<!-->-->",
    "<!--->",
    "<!-- ' \" > -->",
    "--",
    "-",
  ],
  ...["<![CDATA[<&amp;]]>", "<![CDATA[", "]]>", "<![CDATA[]]]]>", "<![FOO[x]]>", "<![cdata[x]]>", "]]", ">"],
  ...[
    "<?x y?>",
    "<?x<y?>",
    "<?x?>",
    "<??>",
    "<?p:q?>",
    "<?xml?>",
    "<?x",
    "?>",
    "<?x > y?>",
    "<?x ' ?>",
    '<?x y="1"?>',
  ],
  ...[
    "<?xml version='1.0'?>",
    "<?xml version='1.0' encoding='utf-8' ?>",
    "<?xml version='1.1'?>",
    "<?XML x?>",
  ],
  ...["<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY lt 'x'>]>", "<!ENTITY a 'b'>", "<!foo>", "<!D", "<!"],
  ...[
    "<__proto__/>",
    "<constructor a='1'/>",
    "<a __proto__='1' constructor='2'/>",
    "<hasOwnProperty>",
    "<toString/>",
  ],
  ...[
    "<a\ufeff/>",
    "<a\u1680 b='1'/>",
    "<a b\ufeff='1'/>",
    "\ufeff",
    "\u1680",
    "\u00a0",
    "\u2028",
    "<\u{10000}a/>",
  ],
  ...[
    "x",
    " ",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "'",
    '"',
    "<",
    "/",
    "=",
    "a='1'",
    "\0",
    "\u0007",
    "\uffff",
    "\u{1f600}",
    "é",
  ],
];

/**
 * Generates one of these texts with up to four changes: a part deleted, doubled or replaced by a piece of
 * markup.
 */
export function changedText(texts: readonly string[]): fc.Arbitrary<string> {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const change = fc.record({
    place,
    length: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(80)),
    piece: fc.oneof(fc.constantFrom("", "", "again"), fc.constantFrom(...PIECES)),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 4 }))
    .map(([text, changes]) => changes.reduce((before, one) => changedOnce(before, one), text));
}

interface Change {
  readonly place: number;
  readonly length: number;
  readonly piece: string;
}

function changedOnce(text: string, { place, length, piece }: Change): string {
  const from = Math.floor(place * text.length);
  const to = from + length;
  const put = piece === "again" ? text.slice(from, to).repeat(2) : piece;
  return text.slice(0, from) + put + text.slice(to);
}
