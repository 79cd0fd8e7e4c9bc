import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { formatNetwork, parseNetwork } from "../../src/network/document.ts";
import type { Network } from "../../src/network/forms/network.ts";
import { attempt } from "../qemu/recorded.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import {
  hasRecorded,
  listRecorded,
  type RecordedFolder,
  readIfRecorded,
  readRecorded,
  whySkipped,
} from "./recorded.ts";

describeRecorded(
  "networkxml2xmlin",
  "networks are written as libvirt writes them, or refused as it refuses them",
  {
    ending: ".xml",
    compare(name) {
      const ours = attempt(() => formatNetwork(networkOf("networkxml2xmlin", name)));
      // libvirt's tests have no output of a document that libvirt refuses.
      return [ours, readIfRecorded("networkxml2xmlout", `${name}.xml`)];
    },
  },
);

interface Comparison {
  /** Ending of the file of each case. */
  readonly ending: string;
  isCase?(name: string): boolean;
  /** Returns svirt's outcome and libvirt's; undefined: libvirt refuses the document. */
  compare(name: string): readonly [ours: string | SvirtError, theirs: string | undefined];
}

function describeRecorded(
  folder: RecordedFolder,
  title: string,
  { compare, ending, isCase }: Comparison,
): void {
  describe.skipIf(!hasRecorded(folder))(`${title}${whySkipped(folder)}`, () => {
    const names = listRecorded(folder, ending).filter((name) => isCase?.(name) ?? true);

    test("are there", () => {
      expect(names.length).toBeGreaterThan(0);
    });

    test.each(names)("%s", (name) => {
      const [ours, theirs] = compare(name);
      const isSame = theirs === undefined ? ours instanceof SvirtError : ours === theirs;
      const reason = EXCEPTIONS.get(`${folder}/${name}${ending}`);
      if (reason !== undefined) {
        // An exception that is none any longer has to leave the table.
        expect([reason, isSame]).toEqual([reason, false]);
      } else if (theirs === undefined) expect(ours).toBeInstanceOf(SvirtError);
      else expect(ours).toBe(theirs);
    });
  });
}

function networkOf(folder: RecordedFolder, name: string): Network {
  return parseNetwork(readRecorded(folder, `${name}.xml`));
}
