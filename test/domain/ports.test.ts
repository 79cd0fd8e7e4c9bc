import { expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { listPorts } from "../../src/domain/ports.ts";
import { domainWith } from "./corpus.ts";

const portsOf = (devices: string) =>
  listPorts(parseDomain(domainWith(devices)).devices).map(
    ({ device, chardev }) => `${device} ${chardev.type}`,
  );

test.each([
  ["", []],
  ["<console type='pty'/>", ["serial pty"]],
  ["<console type='null'><target type='serial' port='0'/></console>", ["serial null"]],
  ["<serial type='pty'/><console type='pty'/>", ["serial pty"]],
  ["<serial type='pty'/><serial type='null'/><console type='pty'/>", ["serial pty", "serial null"]],
  ["<console type='pty'><target type='virtio'/></console>", ["console pty"]],
  [
    "<console type='pty'/><console type='null'><target type='virtio'/></console><channel type='unix'><target type='virtio'/></channel>",
    ["serial pty", "console null", "channel unix"],
  ],
])("listPorts() of %s", (devices, ports) => {
  expect(portsOf(devices)).toEqual(ports);
});
