import { expect, spyOn, test } from "bun:test";
import type { Devices } from "../../../src/domain/devices.ts";
import { parseDomain } from "../../../src/domain/document.ts";
import { placeChannels } from "../../../src/qemu/devices/chardev/virtio-serial.ts";

/** Returns the devices of a domain with so many channels without addresses, after others. */
function devicesWith(count: number, others = ""): Devices {
  const names = Array.from({ length: count }, (_, at) => `org.a${at}`);
  const channels = names.map(
    (name) => `<channel type='unix'><target type='virtio' name='${name}'/></channel>`,
  );
  const xml = `<domain type='qemu'><name>g</name><uuid>11111111-2222-4333-8444-000000000001</uuid><memory>65536</memory><os><type>hvm</type></os><devices>${others}${channels.join("")}</devices></domain>`;
  return parseDomain(new TextEncoder().encode(xml)).devices;
}

/** Returns the ports of the channels: "CONTROLLER.PORT". */
function portsOf({ channels }: Devices): readonly string[] {
  return channels.map(({ address }) => `${address?.controller}.${address?.port}`);
}

// virDomainVirtioSerialAddrAutoAssign() of libvirt: port 0 of each controller is for a console.
test("channels fill the ports of one controller after another, around those that are written", () => {
  const written =
    "<channel type='unix'><target type='virtio' name='b'/><address type='virtio-serial' controller='1' bus='0' port='2'/></channel>";
  const ports = portsOf(placeChannels(devicesWith(62, written)));
  const all = [0, 1, 2].flatMap((controller) =>
    Array.from({ length: 30 }, (_, at) => `${controller}.${at + 1}`),
  );
  expect(ports).toEqual(["1.2", ...all.filter((port) => port !== "1.2").slice(0, 62)]);
});

test("the ports that are looked at for thousands of channels grow with their number, not its square", () => {
  const [few, many] = [1000, 4000].map((count) => {
    const devices = devicesWith(count);
    const looks = spyOn(Set.prototype, "has");
    try {
      placeChannels(devices);
      return looks.mock.calls.length;
    } finally {
      looks.mockRestore();
    }
  });
  expect(few).toBeGreaterThan(1000);
  expect(many).toBeLessThan(5 * (few ?? 0));
});
