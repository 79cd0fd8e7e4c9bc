import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { formatDomain, parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { SvirtError } from "../../src/errors.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { completedGuest } from "../../src/qemu/completed-guest.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { storedDomain } from "../../src/qemu/stored-domain.ts";
import type { XmlNode } from "../../src/xml/node.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { bytesOf, domainWith } from "../domain/corpus.ts";
import { randomDomain } from "../domain/random-domain.ts";
import { testInTurn } from "../sample.ts";
import { attempt, listRecorded, readRecorded, readStored, recordedFolder } from "./recorded.ts";

const inTurn = testInTurn(3);

// Reads hundreds of documents, on a machine that may be busy.
setDefaultTimeout(60_000);

/** Minimum of cases stored exactly. Raised with each improvement, never lowered. */
const EXACT_AT_LEAST = 448;

/**
 * Cases that are not stored as recorded, and why. A new element may be listed until its defaults are filled
 * in.
 */
const OTHER = new Set([
  "seclabel-dynamic-none-relabel", // recorded where no security model is the default
  "audio-default-nographics", // qemu.conf: nographics_allow_host_audio
  "seclabel-dynamic-none-relabel", // recorded on a host without SELinux: its model is "none"
  "disk-device-removable", // libvirt forgets that a SCSI disk is removable: the stored guest would be another one
]);

const SPARE = "00000000-0000-4000-8000-000000000001";
const RUNS = 1000;
const missing = recordedFolder === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
const validator = Bun.which("xmllint");

/** Returns the stored forms of the recorded cases that are not refused, as text and as value. */
function listStored(): readonly (readonly [name: string, text: string, complete: Domain])[] {
  return listRecorded("args").flatMap((name) => {
    const domain = readRecorded(name);
    const stored = domain instanceof SvirtError ? domain : attempt(() => storedDomain(domain));
    return stored instanceof SvirtError ? [] : [[name, formatDomain(stored), stored] as const];
  });
}

describe.skipIf(recordedFolder === undefined)(
  `storedDomain() against libvirt's stored forms${missing}`,
  () => {
    const stored = listStored();

    inTurn("gives what libvirt stored", () => {
      let exact = 0;
      for (const [name, text] of stored) {
        if (OTHER.has(name)) continue;
        expect([name, treeOf(bytesOf(text))]).toEqual([name, treeOf(readStored(name))]);
        exact += 1;
      }
      expect(exact).toBeGreaterThanOrEqual(EXACT_AT_LEAST);
    });

    inTurn(
      "gives what it is again when it was written and read, as XML and as JSON, and what is complete already",
      () => {
        for (const [name, text, complete] of stored) {
          const again = storedDomain(parseDomain(bytesOf(text)));
          expect([name, again]).toStrictEqual([name, complete]);
          expect([name, JSON.parse(JSON.stringify(complete))]).toStrictEqual([name, complete]);
          expect([name, parseDomain(bytesOf(text))]).toStrictEqual([name, complete]);
          expect([name, completedGuest(complete)]).toStrictEqual([name, completeGuest(complete)]);
        }
      },
    );

    inTurn("gives what stays the same when it is stored again, and is the same guest to QEMU", () => {
      for (const [name, text] of stored) {
        const again = parseDomain(bytesOf(text));
        expect([name, formatDomain(storedDomain(again))]).toEqual([name, text]);
        const written = readRecorded(name);
        if (written instanceof SvirtError) throw written;
        const words = attempt(() => formatArgv(written));
        if (!(words instanceof SvirtError)) expect([name, ...formatArgv(again)]).toEqual([name, ...words]);
      }
    });

    const lacks = validator === null ? " (skipped: xmllint is missing)" : "";
    test.skipIf(validator === null)(
      `gives what libvirt's schema takes${lacks}`,
      () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-stored-"));
        const schema = path.join(recordedFolder ?? "", "../schemas/domain.rng");
        const files = stored.map(([name, text]) => {
          const file = path.join(folder, `${name}.xml`);
          fs.writeFileSync(file, text);
          return file;
        });
        const checked = Bun.spawnSync([validator ?? "", "--noout", "--relaxng", schema, ...files]);
        fs.rmSync(folder, { recursive: true });
        const verdicts = checked.stderr.toString().split("\n");
        expect(verdicts.filter((line) => / fails to validate$/.test(line))).toEqual([]);
        expect(verdicts.filter((line) => / validates$/.test(line))).toHaveLength(files.length);
      },
      60_000,
    );
  },
);

test("the comparison would find another word, another order and another text", () => {
  const texts = ["<a b='1'><c/><d>e</d></a>", "<a b='2'><c/><d>e</d></a>", "<a b='1'><d>e</d><c/></a>"];
  const trees = [...texts, "<a b='1'><c/><d>f</d></a>"].map((text) => JSON.stringify(treeOf(bytesOf(text))));
  expect(new Set(trees).size).toBe(4);
});

test("what is stored of a random document stays the same, stored again", () => {
  let taken = 0;
  const property = fc.property(randomDomain, (text) => {
    const stored = attempt(() => storedDomain(parseDomain(bytesOf(text), SPARE)));
    if (stored instanceof SvirtError) return;
    taken += 1;
    const written = formatDomain(stored);
    expect(formatDomain(storedDomain(parseDomain(bytesOf(written))))).toBe(written);
  });
  fc.assert(property, { numRuns: RUNS });
  // About 32 of 1000 are: that 10 or fewer are has a chance of one in a hundred thousand.
  expect(taken).toBeGreaterThan(RUNS / 100);
});

describe("storedDomain()", () => {
  test("takes what a start would have to settle, and what nobody can give it refuses", () => {
    const tpm = "<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>";
    const readOnly = "<disk><source file='/a'/><target dev='hda' bus='ide'/><readonly/></disk>";
    expect(() => formatArgv(parseDomain(domainWith(tpm)))).toThrow("known only at a start");
    expect(storedDomain(parseDomain(domainWith(tpm))).devices.tpms).toHaveLength(1);
    expect(() => storedDomain(parseDomain(domainWith(readOnly)))).toThrow("/domain/devices/disk[1]/readonly");
  });

  test("finds a disk's fault behind a secret that it lacks", () => {
    const auth = "<auth username='a'><secret type='iscsi' usage='b'/></auth>";
    const network = `<disk type='network'>${auth}<source protocol='iscsi' name='c'><host name='d'/></source>`;
    const [good, bad] = ["", "<readonly/>"].map((extra) =>
      parseDomain(domainWith(`${network}<target dev='sda' bus='sata'/>${extra}</disk>`)),
    );
    expect(good && formatDomain(storedDomain(good))).toContain("<host name='d' port='3260'/>");
    expect(good && formatDomain(storedDomain(good))).toContain("name='c/0'");
    expect(() => bad && storedDomain(bad)).toThrow("/domain/devices/disk[1]/readonly");
  });
});

// virDomainClockDefParseXML() and virDomainVideoDefPostParse() of libvirt
test.each([
  [
    "",
    "<clock offset='localtime' adjustment='60'/>",
    "<clock offset='variable' adjustment='60' basis='localtime'/>",
  ],
  ["", "<clock offset='variable'/>", "<clock offset='variable' adjustment='0' basis='utc'/>"],
  ["", "<clock offset='timezone' timezone='Europe/Paris'/>", "timezone='Europe/Paris'/>"],
  ["<video><model type='cirrus' vram='9216'/></video>", "", "<model type='cirrus' vram='16384' heads='1'"],
  ["<video><model type='qxl' ram='65537'/></video>", "", "<model type='qxl' ram='131072' vram='65536'"],
])("storedDomain() of %s%s has %s", (devices, more, expected) => {
  expect(formatDomain(storedDomain(parseDomain(domainWith(devices, more))))).toContain(expected);
});

// virDomainGraphicsDefFormat() of libvirt
test.each([
  ["port='5901'", "", "port='5901' autoport='no'"],
  ["port='5901' autoport='yes'", "", "port='-1' autoport='yes'"],
  ["socket='/a' port='5901'", "", "socket='/a'"],
  ["port='5901'", "<listen type='none'/>", undefined],
])("a VNC display with %s %s is stored with its port where it has one", (attributes, listen, stored) => {
  const xml = `<graphics type='vnc' ${attributes}>${listen}</graphics>`;
  const text = formatDomain(storedDomain(parseDomain(domainWith(xml))));
  expect(text).toContain(`<graphics type='vnc'${stored === undefined ? "" : ` ${stored}`}>\n`);
});

describe("completeGuest()", () => {
  test("asks for any place where an address is all zero", () => {
    const given =
      "<interface type='user'><mac address='52:54:00:00:00:01'/><address type='pci'/></interface>";
    const { devices } = completeGuest(parseDomain(domainWith(given)));
    expect(devices.interfaces[0]?.address).toEqual({ type: "pci", domain: 0, bus: 0, slot: 2, function: 0 });
  });

  test("takes no more controllers of a type than a board has buses", () => {
    const many = (count: number): string => "<controller type='scsi'/>".repeat(count);
    const { controllers } = completeGuest(parseDomain(domainWith(many(200)))).devices;
    expect(controllers.filter(({ type }) => type === "scsi").at(-1)?.index).toBe(199);
    expect(() => completeGuest(parseDomain(domainWith(many(19_000))))).toThrow("controller[257]");
    const high = "<controller type='pci' index='256' model='pci-bridge'/>";
    expect(() => completeGuest(parseDomain(domainWith(high)))).toThrow("controller[1]");
  });
});

/** Returns a document without its insignificant parts: white space, comments, the order of attributes. */
function treeOf(bytes: Uint8Array): unknown {
  const plain = ({ tag, attributes, children, text }: XmlNode): unknown => ({
    tag,
    attributes: Object.fromEntries([...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    children: children.map(plain),
    text: text.trim(),
  });
  return plain(parseDocument(bytes));
}
