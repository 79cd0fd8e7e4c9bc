import { expect, test } from "bun:test";
import { startDomain } from "../../src/vm/start/start.ts";
import { snapshot } from "../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn } from "../scenes/scene.ts";

const FOREIGN = "system_u:object_r:mnt_t:s0";
const PATH = "/var/lib/images/private3.raw";

test.each([
  ["that keeps a label", "<seclabel model='selinux' relabel='no'/>"],
  [
    "that the XML gives a label",
    `<seclabel model='selinux' relabel='yes'><label>${FOREIGN}</label></seclabel>`,
  ],
])("a file %s which the guest may not read is refused before anything is done", async (_, seclabel) => {
  const machine = makeMachine();
  machine.forbiddenLabels.add(FOREIGN);
  machine.files.get(PATH)?.xattrs.set("security.selinux", FOREIGN);
  const before = snapshot(machine);
  const xml = domainXml({
    disks: diskXml(PATH, "vda").replace(/(<source [^>]*)\/>/, `$1>${seclabel}</source>`),
  });
  const error = await errorOf(startDomain(nodeOn(machine), xml));
  expect(error).toMatchObject({ kind: "denied" });
  expect(error.message).toContain(`read a file labelled ${FOREIGN}`);
  expect(snapshot(machine)).toEqual(before);
});
