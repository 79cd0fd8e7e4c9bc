import { expect } from "bun:test";
import { uuidOf } from "../harness/names.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear, succeed, virsh } from "./client.ts";
import { expectBack, expectConfined, expectNothingLeft, labelsOf, POOL, REMOVE } from "./facts.ts";
import { makeNetwork, makePool, removeStores } from "./stores.ts";

// virt-install, virt-xml and virt-clone, of Debian's virtinst.

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const [NAME, CLONE] = ["life-install", "life-clone"];
const DISK = `${POOL}/guest.img`;

/** Options for a small guest, which is not asked for and not waited for. */
const GUEST = [
  ...["--name", NAME, "--uuid", uuidOf(NAME), "--memory", "32", "--virt-type", "qemu", "--noautoconsole"],
  ...["--osinfo", "detect=off,require=off", "--graphics", "vnc", "--network", "network=life-net"],
];

onTheNode(
  "virt-install of an image, virt-xml and virt-clone: both guests are confined, and all storage is deleted",
  async () => {
    await onNode(REMOVE);
    await makePool(client, { "guest.img": "guest", "extra.img": "guest" });
    await makeNetwork(client);
    const labels = await labelsOf([DISK, `${POOL}/extra.img`]);
    await succeed(client, "virt-install", ...GUEST, "--import", "--disk", "vol=life-pool/guest.img");
    await expectConfined(NAME, [DISK]);
    const extra = `path=${POOL}/extra.img,target.bus=usb`;
    await succeed(client, "virt-xml", NAME, "--add-device", "--disk", extra, "--update");
    await expectConfined(NAME, [DISK, `${POOL}/extra.img`]);
    await succeed(client, "virt-xml", NAME, "--edit", "--memory", "48");
    await virsh(client, `destroy ${NAME}`);
    await expectBack(labels);
    await succeed(client, "virt-xml", NAME, "--remove-device", "--disk", `path=${POOL}/extra.img`);
    await succeed(client, "virt-clone", "-o", NAME, "-n", CLONE, "--auto-clone");
    const copy = `${POOL}/guest-clone.img`;
    const copied = await labelsOf([copy]);
    await virsh(client, `start ${NAME}`, `start ${CLONE}`);
    await expectConfined(NAME, [DISK]);
    await expectConfined(CLONE, [copy]);
    expect(await virsh(client, `dominfo ${CLONE}`)).toMatch(/^Max memory: +49152 KiB$/m);
    await virsh(client, `destroy ${NAME}`, `destroy ${CLONE}`);
    await expectBack(new Map([...labels, ...copied]));
    const cloneUuid = await virsh(client, `domuuid ${CLONE}`);
    const undefine = [NAME, CLONE].map((name) => `undefine ${name} --remove-all-storage`);
    await virsh(client, ...undefine);
    await removeStores(client, ["extra.img"]);
    await expectNothingLeft([uuidOf(NAME), cloneUuid]);
  },
  { timeoutMs: LIFE_MS },
);

onTheNode(
  "virt-install of a kernel with a new disk: the guest is confined, the kernel's and the disk's labels are given back",
  async () => {
    await onNode(REMOVE);
    await makePool(client, { kernel: "kernel" });
    await makeNetwork(client);
    const labels = await labelsOf([`${POOL}/kernel`]);
    const boot = `kernel=${POOL}/kernel,kernel_args=life`;
    const disk = `path=${POOL}/new.qcow2,size=0.01`;
    await succeed(client, "virt-install", ...GUEST, "--boot", boot, "--disk", disk, "--import");
    await expectConfined(NAME, [`${POOL}/new.qcow2`]);
    await virsh(client, `destroy ${NAME}`);
    await expectBack(labels);
    await virsh(client, `undefine ${NAME} --remove-all-storage`);
    await removeStores(client, ["kernel"]);
    await expectNothingLeft([uuidOf(NAME)]);
  },
  { timeoutMs: LIFE_MS },
);
