import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { refuseUnimplemented } from "../../../src/domain/unimplemented/refuse.ts";
import { domainWith } from "../corpus.ts";

const start = (devices: string): void => refuseUnimplemented(parseDomain(domainWith(devices)));

describe("a start", () => {
  test.each([
    ["<sound model='ac97'/>"],
    ["<filesystem accessmode='squash'><source dir='/srv'/><target dir='srv'/></filesystem>"],
    ["<shmem name='a'><model type='ivshmem-plain'/></shmem>"],
    ["<panic/>"],
    ["<panic model='pvpanic'/>"],
    ["<iommu model='intel'/>"],
    ["<watchdog model='i6300esb' action='dump'/>"],
    ["<crypto model='virtio' type='qemu'><backend model='builtin'/></crypto>"],
    ["<video><model type='virtio'><resolution x='800' y='600'/></model></video>"],
    ["<input type='mouse' bus='virtio'><driver packed='on'/></input>"],
  ])("needs nothing of the host for %s", (devices) => {
    expect(() => start(devices)).not.toThrow();
  });

  test.each([
    ["<tpm><backend type='emulator'><source type='dir' path='/srv/tpm'/></backend></tpm>", "/srv/tpm"],
    ["<audio id='1' type='file' path='sound.wav'/>", "sound.wav"],
    ["<graphics type='egl-headless'><gl rendernode='/dev/dri/a'/></graphics>", "/dev/dri/a"],
  ])("is refused for the path in %s", (devices, path) => {
    expect(() => start(devices)).toThrow(`svirt does not open ${path} for a guest yet`);
  });

  test.each([
    [
      "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='1'/></serial>",
      "connect ports and consoles by tcp",
    ],
    ["<channel type='spicevmc'><target type='virtio'/></channel>", "connect ports and consoles by spicevmc"],
    ["<graphics type='spice'/>", "support spice displays"],
    ["<graphics type='vnc' websocket='5700'/>", "listen for WebSocket connections"],
    ["<audio id='1' type='pulseaudio'/>", "support pulseaudio audio"],
    ["<vsock><cid auto='yes'/></vsock>", "open /dev/vhost-vsock"],
    ["<video><driver name='vhostuser'/><model type='virtio'/></video>", "start vhost-user graphics programs"],
    [
      "<rng model='virtio'><backend model='egd' type='tcp'><source mode='connect' host='a' service='1'/></backend></rng>",
      "connect to entropy daemons except by their Unix socket",
    ],
  ])("is refused for %s", (devices, missing) => {
    expect(() => start(devices)).toThrow(`svirt does not ${missing} yet`);
  });

  test.each([
    ["<serial type='stdio'/>", "serial", "QEMU runs without a terminal"],
    [
      "<shmem name='a'><model type='ivshmem-doorbell'/><server path='/run/a'/></shmem>",
      "shmem[1]/server",
      "which the policy denies to every guest",
    ],
    [
      "<interface type='vhostuser'><source type='unix' path='/run/a' mode='client'/></interface>",
      "interface[1]/source",
      "QEMU must open the sockets of vhost-user networks itself",
    ],
    [
      "<disk type='vhostuser'><source type='unix' path='/run/a'><reconnect enabled='yes' timeout='1'/></source><target dev='vda'/></disk>",
      "disk[1]/source/reconnect",
      "SELinux does not let it connect again",
    ],
    [
      "<disk type='network'><source protocol='nbd' name='a'><host transport='unix' socket='/run/a'/><reconnect delay='9'/></source><target dev='vda'/></disk>",
      "disk[1]/source/reconnect",
      "SELinux does not let it connect again",
    ],
    [
      "<serial type='unix'><source mode='connect' path='/run/a'><reconnect enabled='yes' timeout='1'/></source></serial>",
      "serial/source/reconnect",
      "SELinux does not let it connect again",
    ],
  ])("is refused for what QEMU cannot be handed of another program: %s", (devices, place, why) => {
    expect(() => start(devices)).toThrow(`/domain/devices/${place}: svirt does not `);
    expect(() => start(devices)).toThrow(why);
  });

  // Their arguments: test/resolve/files/peers.test.ts
  test.each([
    "<tpm><backend type='external'><source type='unix' mode='connect' path='/run/tpm'/></backend></tpm>",
    "<disk type='vhostuser'><source type='unix' path='/run/a'/><target dev='vda'/></disk>",
    "<filesystem><driver type='virtiofs'/><source socket='/run/a'/><target dir='a'/></filesystem>",
    "<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='/a'/></backend></rng>",
    "<serial type='unix'><source mode='connect' path='/run/a'/></serial>",
  ])("is not refused for what another program serves: %s", (devices) => {
    expect(() => start(devices)).not.toThrow();
  });

  test.each([
    [
      "<filesystem><source dir='/srv'/><target dir='srv'/></filesystem>",
      "filesystem[1]/@accessmode",
      "CAP_CHOWN",
    ],
    [
      "<disk device='lun' type='block' rawio='yes'><source dev='/dev/sda'/><target dev='sda'/></disk>",
      "disk[1]/@rawio",
      "CAP_SYS_RAWIO",
    ],
  ])("is refused for what needs a capability: %s", (devices, place, capability) => {
    const isRefused = new RegExp(`/domain/devices/${place.replaceAll(/[[\]]/g, "\\$&")}: .*${capability}`);
    expect(() => start(devices)).toThrow(isRefused);
  });
});
