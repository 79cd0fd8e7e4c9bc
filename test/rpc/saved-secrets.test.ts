import { expect, test } from "bun:test";
import { defineDomain } from "../../src/vm/define/define.ts";
import { FILE, MANAGED, savedByLibvirt } from "../scenes/saving.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { asked, call, domain, errorIn, text, word } from "./remote-client.ts";

/** VIR_DOMAIN_SAVE_IMAGE_XML_SECURE of libvirt's libvirt-domain.h */
const SECURE = word(1);
/**
 * virDomainSaveImageGetXMLDesc() and virDomainManagedSaveGetXMLDesc() of libvirt, whose saved XML has the
 * password.
 */
const CALLS = [
  [235, text(FILE)],
  [388, domain("vm1", UUID)],
] as const;

test("the XML of a state that libvirt has saved has its password only with VIR_DOMAIN_SAVE_IMAGE_XML_SECURE", async () => {
  const machine = makeMachine();
  const instance = nodeOn(machine);
  await defineDomain(instance, domainXml());
  machine.files.putFolder("/var/lib/svirt/save", 0o700);
  for (const path of [FILE, MANAGED]) machine.files.put(path, "file", { bytes: savedByLibvirt() });
  for (const [number, what] of CALLS) {
    const shown = async (flags: string) =>
      Buffer.from((await asked(instance, call(number, what + flags))).payload, "hex").toString();
    expect(await shown(word(0))).toContain("<graphics type='vnc'/>");
    expect(await shown(word(0))).not.toContain("swordfish");
    expect(await shown(SECURE)).toContain("passwd='swordfish'");
    expect(errorIn(await asked(instance, call(number, what + SECURE), 1))?.message).toStartWith(
      "operation forbidden: ",
    );
  }
});
