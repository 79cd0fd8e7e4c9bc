import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Glob } from "bun";
import { listRefusals } from "../../scripts/docs/domain-xml/refusals.ts";
import { listTops } from "../../scripts/docs/domain-xml/sections.ts";
import { REFUSED_DEFINITIONS, STARTS } from "../../scripts/docs/domain-xml/starts.ts";
import { formatDomain, parseDomainText } from "../../src/domain/document.ts";
import { UNIMPLEMENTED_RULES } from "../../src/domain/unimplemented/refuse.ts";
import { addAliases } from "../../src/qemu/aliases.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { placeName } from "../../src/xml/declaration.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";

const DATA = new URL("../data/", import.meta.url).pathname;
const DEFINED = new Set(REFUSED_DEFINITIONS.map(([place]) => place));

/** Elements that every start refuses, although their page also describes accepted ones. */
const WHOLLY_REFUSED = new Set(["/domain/perf", "/domain/idmap"]);

interface Document {
  /** Paths of the children of <domain> and <devices>. */
  readonly elements: ReadonlySet<string>;
  /** Places that a start refuses, without indices. */
  readonly refused: readonly string[];
}

async function read(file: string): Promise<Document> {
  const text = await Bun.file(DATA + file).text();
  const root = parseDocument(new TextEncoder().encode(text));
  const devices = root.children.find(({ tag }) => tag === "devices")?.children ?? [];
  const domain = parseDomainText(text);
  const refused = UNIMPLEMENTED_RULES.flatMap((rule) =>
    rule.findIn(domain).map(({ place = rule.place }) => place),
  );
  return {
    elements: new Set([
      ...root.children.map(({ tag }) => `/domain/${tag}`),
      ...devices.map(({ tag }) => `/domain/devices/${tag}`),
    ]),
    refused: refused.map((place) => place.replace(/\[\d+\]/g, "")),
  };
}

const everything = await read("started/everything.xml");
const documents = await Promise.all(
  [...new Glob("*.xml").scanSync(`${DATA}domain/`)].map((file) => read(`domain/${file}`)),
);
const tops = listTops().filter(({ path }) => !DEFINED.has(path));

const isWithin = (place: string, path: string): boolean => place === path || place.startsWith(`${path}/`);
const isTaken = (path: string, page: string): boolean =>
  STARTS[page]?.takes !== "" && !WHOLLY_REFUSED.has(path);

test("every page of an element says what a start does with it, and no other page is listed", () => {
  const pages = new Set(["domain", ...listTops().map(({ page }) => page)]);
  expect(Object.keys(STARTS).sort()).toEqual([...pages].sort());
});

test("a device's page has the name of its family in src/domain/devices/", () => {
  const families = new Set(
    readdirSync(new URL("../../src/domain/devices/", import.meta.url)).map((name) =>
      name.replace(/\.ts$/, ""),
    ),
  );
  const devices = Object.keys(STARTS).filter((page) => page.startsWith("devices/"));
  expect(devices.length).toBeGreaterThan(20);
  expect(devices.filter((page) => !families.has(page.slice("devices/".length)))).toEqual([]);
});

describe("docs/domain-xml/README.md", () => {
  test("calls taken what a document has that no rule refuses and that can be started", async () => {
    const taken = tops.filter(({ page, path }) => isTaken(path, page)).map(({ path }) => path);
    expect(everything.refused).toEqual([]);
    expect(
      taken.filter((path) => !everything.elements.has(path) && path !== "/domain/devices/redirfilter"),
    ).toEqual([]);
    completeGuest(parseDomainText(await Bun.file(`${DATA}started/everything.xml`).text()));
  });

  test("calls no device taken that the translation for QEMU leaves out", async () => {
    const domain = parseDomainText(await Bun.file(`${DATA}started/everything.xml`).text());
    const whole = formatArgv(domain).join("\n");
    const named = Object.entries(domain.devices).flatMap(([name, value]) =>
      value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [{ name, value }],
    );
    const isLeftOut = ({ name, value }: { name: string; value: unknown }): boolean => {
      const devices = { ...domain.devices, [name]: Array.isArray(value) ? [] : undefined };
      return formatArgv({ ...domain, devices }).join("\n") === whole;
    };
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter(isLeftOut).map(({ name }) => name)).toEqual([]);
  });

  test("calls no device taken that gets no alias, where it may have one", async () => {
    const guest = completeGuest(parseDomainText(await Bun.file(`${DATA}started/everything.xml`).text()));
    const mayHave = new Set(
      listTops().flatMap(({ form }) =>
        form.variants.some(({ places }) => places.some((place) => placeName(place) === "alias"))
          ? [form.tag]
          : [],
      ),
    );
    const root = parseDocument(
      new TextEncoder().encode(formatDomain({ ...guest.domain, devices: addAliases(guest) })),
    );
    const devices = root.children.find(({ tag }) => tag === "devices")?.children ?? [];
    // libvirt gives <panic> no alias, and QEMU gets no id for it.
    mayHave.delete("panic");
    const bare = devices.filter(
      ({ children, tag }) => mayHave.has(tag) && !children.some((child) => child.tag === "alias"),
    );
    expect(mayHave.size).toBeGreaterThan(20);
    expect(bare.map(({ tag }) => tag)).toEqual([]);
  });

  test("calls no device taken that has no place of its own on PCI", async () => {
    const argv = formatArgv(parseDomainText(await Bun.file(`${DATA}started/everything.xml`).text()));
    const devices = argv.filter((word, at) => argv[at - 1] === "-device" && word.startsWith("{"));
    const places = devices.flatMap((word) => {
      const { addr, bus } = JSON.parse(word);
      return typeof bus === "string" && typeof addr === "string" ? [`${bus} ${addr}`] : [];
    });
    expect(places.length).toBeGreaterThan(20);
    expect(places).not.toContain("pcie.0 0x0");
    expect(places.filter((place, at) => places.indexOf(place) !== at)).toEqual([]);
  });

  const refused = tops.filter(
    ({ page, path }) => !isTaken(path, page) && path !== "/domain/devices/redirfilter",
  );
  test.each(refused.map(({ path }) => [path]))(
    "calls %s refused, as every document that has it is",
    (path) => {
      const having = documents.filter(({ elements }) => elements.has(path));
      expect(having).not.toEqual([]);
      expect(having.filter((each) => !each.refused.some((place) => isWithin(place, path)))).toEqual([]);
    },
  );

  test("names a refusal for every element in which a start refuses something", () => {
    const places = new Set(documents.flatMap((each) => each.refused));
    const silent = tops.filter(
      ({ page, path }) =>
        [...places].some((place) => isWithin(place, path)) && listRefusals(page).length === 0,
    );
    expect(places.size).toBeGreaterThan(40);
    expect(silent.filter(({ page }) => page !== "devices").map(({ path }) => path)).toEqual([]);
  });
});
