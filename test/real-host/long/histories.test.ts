import { describe, test } from "bun:test";
import fc from "fast-check";
import { setxattr } from "../../../src/host/linux/labels/xattr.ts";
import { histories, liveThrough, memoryOf, prepareForHistories } from "../../scenes/histories.ts";
import { makeMachine } from "../../scenes/scene.ts";
import { withoutInodes } from "../../scenes/strikes.ts";
import { aclBytes, NAMED_LISTS } from "../acl-bytes.ts";
import { listStates } from "../file-states.ts";
import { ASIDE, MISSING, RealFolder } from "../folder.ts";
import { RealMachine } from "../machine.ts";

const ORDERS = 200;
const TIMEOUT_MS = 600_000;
/** Folders of guests' files: images, and the state of their TPMs. */
const MOUNTS = ["/var/lib/images", "/var/lib/svirt/tpm"];
/** ACLs of an administrator on the files that guests open by name; undefined: only the mode applies. */
const LISTS = [undefined, ...NAMED_LISTS.map(([, entries]) => entries)];

describe.skipIf(MISSING !== undefined)(`on a real file system${ASIDE}`, () => {
  test(
    "any order of starts, stops, crashes and failures leaves every label, attribute, owner and ACL byte for byte as it was",
    async () => {
      await fc.assert(
        fc.asyncProperty(histories, fc.constantFrom(...LISTS), async (history, list) => {
          using folder = new RealFolder();
          const machine = prepareForHistories(makeMachine(new RealMachine(folder.path, MOUNTS)));
          for (const at of list === undefined ? [] : [1, 3])
            setxattr(`${folder.path}${memoryOf(at)}`, "system.posix_acl_access", aclBytes(list ?? []));
          const stateOf = (): string[] => [...listStates(folder.path), ...withoutInodes(machine)];
          await liveThrough(machine, history, stateOf);
        }),
        { numRuns: ORDERS },
      );
    },
    TIMEOUT_MS,
  );
});
