import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { formatDomain, parseDomain } from "../../../src/domain/document.ts";
import { domain } from "../../../src/domain/domain.ts";
import { SvirtError } from "../../../src/errors.ts";
import { placeName, type Variant } from "../../../src/xml/declaration.ts";
import { pathOf, type XmlNode } from "../../../src/xml/node.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";
import { type FilledPlace, listFilled } from "../../style/declared-places.ts";
import { bytesOf, corpus, readCase } from "../corpus.ts";

// Reads thousands of documents, on a machine that may be busy.
setDefaultTimeout(60_000);

/** Returns the document with one element changed: an attribute or markup added, or a piece of it replaced. */
function changed(text: string, node: XmlNode, change: (source: string) => string): Uint8Array {
  const at = text.indexOf(node.source);
  // The change could hit the wrong one of two equal elements, so it returns an empty document.
  if (text.indexOf(node.source, at + 1) !== -1) return bytesOf("");
  return bytesOf(text.slice(0, at) + change(node.source) + text.slice(at + node.source.length));
}

function withAttribute(attribute: string): (source: string) => string {
  return (source) => source.replace(/^<[^\s/>]+/, (head) => `${head} ${attribute}`);
}

function withInside(markup: string): (source: string) => string {
  return (source) =>
    source.endsWith("/>")
      ? source.replace(/\/>$/, `>${markup}</${source.match(/^<([^\s/>]+)/)?.[1]}>`)
      : source.replace(/<\/[^<]*$/, (end) => markup + end);
}

function errorOf(bytes: Uint8Array): SvirtError | undefined {
  try {
    parseDomain(bytes);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SvirtError) return thrown;
    throw thrown;
  }
}

/** Returns a fault in the outcome of a change, or an empty string. */
function verdict(error: SvirtError | undefined, kind: string, path: string): string {
  if (error === undefined) return `${path}: taken`;
  const plainPath = path.replaceAll(/\[\d+\]/g, "");
  const message = error.message.replaceAll(/\[\d+\]/g, "");
  const right =
    error.kind === kind &&
    message.startsWith(`Cannot read ${plainPath} in line `) &&
    error.remedy !== undefined;
  return right ? "" : `${path}: ${error.kind}: ${error.message}`;
}

/** Returns the namespace declaration that an element with a prefix needs. */
function binding(name: string): string {
  const [prefix, local] = name.split(":");
  return local === undefined ? "" : ` xmlns:${prefix}='http://libvirt.org/schemas/domain/qemu/1.0'`;
}

function unique(filled: readonly FilledPlace[], text: string): readonly FilledPlace[] {
  const nodes = new Map(filled.map((place) => [place.node, place]));
  return [...nodes.values()].filter(({ node }) => text.split(node.source).length === 2);
}

/**
 * Lists the places that the parser ignores here. A field of the same name wins, and type 'none' refuses
 * labels.
 */
function listDropped(node: XmlNode, variant: Variant): readonly string[] {
  if (node.tag === "seclabel" && node.attributes.get("type") === "none") return [];
  const fields = variant.places.map(placeName);
  const dropped = variant.exceptions.filter(({ act, place }) => act === "drop" && !fields.includes(place));
  return dropped.map(({ place }) => place);
}

describe.each(corpus)("parseDomain() of %s", async (name) => {
  const text = await readCase(name);
  const filled = listFilled(domain, parseDocument(bytesOf(text)));
  const elements = unique(filled, text);

  test("refuses an unknown attribute, child or text in any element, and names it", () => {
    const wrong = elements.flatMap(({ node, variant }) => {
      const path = pathOf(node);
      const hasText = variant.places.some((place) => place.in === "text");
      return [
        verdict(errorOf(changed(text, node, withAttribute("bogus='1'"))), "xml", `${path}/@bogus`),
        verdict(errorOf(changed(text, node, withAttribute("__proto__='1'"))), "xml", `${path}/@__proto__`),
        verdict(errorOf(changed(text, node, withInside("<constructor/>"))), "xml", `${path}/constructor`),
        hasText ? "" : verdict(errorOf(changed(text, node, withInside("stray"))), "xml", `${path}/text()`),
      ];
    });
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });

  test("refuses what is declared as refused, wherever it stands, as unsupported", () => {
    const wrong = elements.flatMap(({ node, variant }) =>
      variant.exceptions
        .filter(({ act }) => act === "refuse")
        .map(({ place }) => {
          const add = place.startsWith("@")
            ? withAttribute(`${place.slice(1)}='1'`)
            : withInside(`<${place}${binding(place)}/>`);
          return verdict(errorOf(changed(text, node, add)), "unsupported", `${pathOf(node)}/${place}`);
        }),
    );
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });

  test("reads over what is declared as dropped, with whatever stands in it", () => {
    const wrong = elements.flatMap(({ node, variant }) =>
      listDropped(node, variant).map((place) => {
        const add = place.startsWith("@")
          ? withAttribute(`${place.slice(1)}='1'`)
          : withInside(`<${place}><a/></${place}>`);
        const bytes = changed(text, node, add);
        const error = errorOf(bytes);
        if (error !== undefined) return `${pathOf(node)}/${place}: ${error.message}`;
        return formatDomain(parseDomain(bytes)) === text ? "" : `${pathOf(node)}/${place}: another value`;
      }),
    );
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });

  test("refuses the words of a choice that libvirt knows and svirt does not do, with the reason", () => {
    const wrong = elements.flatMap(({ node, variant }) => {
      const { when } = variant;
      if (when === undefined || !node.attributes.has(when.attribute)) return [];
      return [...when.refused].map(([word, why]) => {
        const set = (source: string) =>
          source.replace(new RegExp(` ${when.attribute}='[^']*'`), ` ${when.attribute}='${word}'`);
        const error = errorOf(changed(text, node, set));
        const said = error?.message.endsWith(`: "${word}": ${why}`) ? "" : `${word}: ${error?.message}`;
        return verdict(error, "unsupported", `${pathOf(node)}/@${when.attribute}`) + said;
      });
    });
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });

  test("refuses a second one of a child that may stand once", () => {
    const wrong = unique(filled, text).flatMap(({ node, variant }) =>
      node.children
        .filter(({ tag }) =>
          variant.places.some((place) => place.in === "child" && place.name === tag && !place.many),
        )
        .map((once) => {
          const error = errorOf(changed(text, node, withInside(once.source)));
          return verdict(error, "xml", pathOf(once));
        }),
    );
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });

  test("refuses words that objects inherit, wherever a form does not take any text", () => {
    const wrong = filled
      .filter(({ place }) => place.in === "attribute" && place.form.decode("constructor") === undefined)
      .filter(({ node }) => text.split(node.source).length === 2)
      .map(({ place, node }) => {
        const attribute = place.in === "attribute" ? place.name : "";
        const set = (source: string) =>
          source.replace(new RegExp(` ${attribute}='[^']*'`), ` ${attribute}='constructor'`);
        return verdict(errorOf(changed(text, node, set)), "xml", `${pathOf(node)}/@${attribute}`);
      });
    expect(wrong.filter((line) => line !== "")).toEqual([]);
  });
});
