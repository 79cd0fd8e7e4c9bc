import { expect, test } from "bun:test";
import { makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { asked, call, errorIn, text, word } from "./remote-client.ts";

// virErrorDomain of libvirt's virterror.h, as libvirtd 11.3.0 answers python3-libvirt.
const [XML_ERROR, XML_DETAIL] = [27, 35];
const FROM = { storage: 18, network: 19, domain: 20, secret: 30, nwfilter: 33 };

test.each([
  ["virDomainDefineXML", FROM.domain, (xml: string) => call(11, text(xml))],
  ["virNetworkDefineXML", FROM.network, (xml: string) => call(41, text(xml))],
  ["virNetworkCreateXML", FROM.network, (xml: string) => call(40, text(xml))],
  ["virStoragePoolDefineXML", FROM.storage, (xml: string) => call(77, text(xml) + word(0))],
  ["virSecretDefineXML", FROM.secret, (xml: string) => call(142, text(xml) + word(0))],
])("%s refuses XML in the name of its part of libvirt", async (_, domain, define) => {
  const node = nodeOn(makeMachine());
  for (const [xml, code] of [
    ["", XML_DETAIL],
    ["<a", XML_DETAIL],
    ["<network><nonsense/></network>", XML_ERROR],
    ["<domain><nonsense/></domain>", XML_ERROR],
  ] as const)
    expect([xml, errorIn(await asked(node, define(xml)))]).toEqual([
      xml,
      expect.objectContaining({ code, domain }),
    ]);
});

test("a flag of a filter that is none is refused in the name of filters", async () => {
  const filter = text("clean-traffic") + UUID.replaceAll("-", "");
  expect(errorIn(await asked(nodeOn(makeMachine()), call(177, filter + word(1))))).toMatchObject({
    code: 8,
    domain: FROM.nwfilter,
  });
});
