import { expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { asked, call, errorIn, maybe, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x; errors as python3-libvirt 11.3.0 gets them from
// libvirtd.

const LAN = text("lan") + LAN_UUID.replaceAll("-", "");
const [DESCRIPTION, TITLE, ELEMENT] = [0, 1, 2].map(word);
const [LIVE, CONFIG] = [1, 2];
const NO_NETWORK_METADATA = 111;
const FROM_NETWORK = 19;

async function defined(): Promise<Instance> {
  const node = nodeOn(makeMachine());
  await defineNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
  return node;
}

const set = (type: string, [value, key, uri]: readonly (string | undefined)[], flags = 0): string =>
  call(444, LAN + type + maybe(value) + maybe(key) + maybe(uri) + word(flags));
const get = (type: string, uri?: string, flags = 0): string =>
  call(445, LAN + type + maybe(uri) + word(flags));

test("a network's title, description and metadata are set, returned and removed", async () => {
  const node = await defined();
  for (const [type = "", value, key, uri] of [
    [DESCRIPTION, "some words"],
    [TITLE, "T"],
    [ELEMENT, "<a/>", "app", "urn:app"],
  ]) {
    expect(errorIn(await asked(node, get(type, uri)))).toMatchObject({
      code: NO_NETWORK_METADATA,
      domain: FROM_NETWORK,
    });
    expect(errorIn(await asked(node, set(type, [value, key, uri], CONFIG)))).toBeUndefined();
    expect((await asked(node, get(type, uri))).payload).toBe(text(value ?? ""));
    expect(errorIn(await asked(node, set(type, [undefined, key, uri])))).toBeUndefined();
    expect(errorIn(await asked(node, get(type, uri)))?.code).toBe(NO_NETWORK_METADATA);
  }
});

test.each([
  ["the active form of a network that is not", set(word(1), ["T"], LIVE), 55],
  ["a type that is none", set(word(9), ["T"]), 8],
  ["a type that is none, read", get(word(9)), 8],
  ["both forms, read", get(word(1), undefined, 3), 8],
  ["a flag that is none", set(word(1), ["T"], 4), 8],
  ["a title with a namespace", get(word(1), "urn:app"), 8],
  ["an element without one", get(word(2)), 8],
  ["an element without a prefix", set(word(2), ["<a/>", undefined, "urn:app"]), 8],
])("%s is refused", async (_, packet, code) => {
  expect(errorIn(await asked(await defined(), packet))).toMatchObject({ code, domain: FROM_NETWORK });
});
