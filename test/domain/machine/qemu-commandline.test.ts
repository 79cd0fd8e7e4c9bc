import { describe, expect, test } from "bun:test";
import { formatDomain, parseDomain } from "../../../src/domain/document.ts";
import { formatVariables } from "../../../src/qemu/command-line.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../corpus.ts";

const URI = "http://libvirt.org/schemas/domain/qemu/1.0";

function parse(head: string, end: string) {
  return parseDomain(
    bytesOf(`<domain type='kvm'${head}><name>a</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
      <memory>65536</memory><os><type>hvm</type></os>${end}</domain>`),
  );
}

// Namespaces in XML 1.0: a prefix is valid only within its document.
describe("parseDomain() reads words for QEMU by their namespace", () => {
  test.each([
    [` xmlns:qemu='${URI}'`, "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>"],
    [` xmlns:ns0='${URI}'`, "<ns0:commandline><ns0:arg value='-S'/></ns0:commandline>"],
    ["", `<commandline xmlns='${URI}'><arg value='-S'/></commandline>`],
    ["", `<a:commandline xmlns:a='${URI}'><b:arg xmlns:b='${URI}' value='-S'/></a:commandline>`],
    [
      " xmlns:qemu='urn:other'",
      `<qemu:commandline xmlns:qemu='${URI}'><qemu:arg value='-S'/></qemu:commandline>`,
    ],
  ])("<domain%s>%s", (head, end) => {
    const domain = parse(head, end);
    expect(domain.qemuCommandline).toEqual({ words: [{ value: "-S" }], variables: [] });
    expect(formatDomain(domain)).toContain("<qemu:commandline>\n    <qemu:arg value='-S'/>\n");
    expect(formatDomain(domain)).toStartWith(`<domain type='kvm' xmlns:qemu='${URI}'>\n`);
  });

  test.each([
    ["", "<commandline><arg value='-S'/></commandline>", "/domain/commandline"],
    [" xmlns:qemu='urn:other'", "<qemu:commandline/>", "/domain/{urn:other}commandline"],
    ["", `<commandline xmlns='${URI}'><b:arg xmlns:b='urn:b' value='-S'/></commandline>`, "b:arg"],
    [` xmlns:x='${URI}'`, "<x:override/>", "/domain/qemu:override"],
  ])("and refuses what is not in it, or not known: <domain%s>%s", (head, end, place) => {
    expect(() => parse(head, end)).toThrow(place);
  });
});

// formatdomain.html#time-keeping and qemuBuildClockArgStr() of libvirt: QEMU gets the zone in TZ, environ(7).
test("formatVariables() gives the time zone of a clock before them, and formatArgv() has it told the time there", () => {
  const domain = parse(
    ` xmlns:qemu='${URI}'`,
    "<clock offset='timezone' timezone='Europe/Paris'/><qemu:commandline><qemu:env name='A' value='1'/></qemu:commandline>",
  );
  expect(formatVariables(domain)).toEqual(["TZ=Europe/Paris", "A=1"]);
  const words = formatArgv(domain);
  expect(words[words.indexOf("-rtc") + 1]).toBe("base=localtime");
});

test("formatArgv() ends with such words, and formatVariables() gives what stands before the program", () => {
  const domain = parse(
    ` xmlns:qemu='${URI}'`,
    "<qemu:commandline><qemu:arg value='-x'/><qemu:arg value='a b'/><qemu:env name='A' value='1'/><qemu:env name='B'/></qemu:commandline>",
  );
  const words = formatArgv(domain);
  expect(words.slice(words.indexOf("-x"), words.indexOf("-x") + 3)).toEqual(["-x", "a b", "-sandbox"]);
  expect(formatVariables(domain)).toEqual(["A=1", "B="]);
  const launch = { monitorFd: 3, listeners: [], descriptors: [], folder: "/run/guest" };
  expect(() => formatArgv(domain, { launch })).toThrow("/domain/qemu:commandline");
});
