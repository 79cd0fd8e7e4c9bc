import { describe, expect, test } from "bun:test";
import { replaceVcpuPin } from "../../src/domain/edits/tuning.ts";
import { writeDescription, writeMetadata } from "../../src/vm/change/describe-domain.ts";
import { dumpDomain } from "../../src/vm/save/dump-domain.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { changeShares } from "../../src/vm/tuning/change-limits.ts";
import { changeDiskLimits } from "../../src/vm/tuning/disk-limits.ts";
import { ALL_KINDS, domainXml, makeMachine, nodeOn, putText, UUID } from "../scenes/scene.ts";
import { Listener } from "./event-listener.ts";
import { call, domain, long, maybe, text, word } from "./remote-client.ts";

// Numbers of procedures, events and types: remote_protocol.x, libvirt-common.h and libvirt-domain.h of
// libvirt.

const REGISTER = 316;
const ASK = { key: "vm1", options: {}, isDryRun: false } as const;
const ON = domain("vm1", UUID, 1);

describe("a registered client", () => {
  test("gets what another svirt does to a domain, with libvirt's types", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    putText(machine, "/sys/devices/system/cpu/online", "0-3\n");
    const client = await Listener.on(
      machine,
      [17, 21, 23].map((event) => call(REGISTER, word(event) + word(0))).join(""),
      3,
    );
    await changeShares(nodeOn(machine), ASK, {
      what: "pin vcpu 0",
      change: (before) => replaceVcpuPin(before, 0, [0]),
    });
    await client.packets(1);
    await changeDiskLimits(nodeOn(machine), ASK, {
      disk: "vda",
      limits: { totalIopsSec: 5, groupName: "g" },
    });
    await client.packets(2);
    const set = { key: "app", xml: "<app/>" };
    await writeMetadata(nodeOn(machine), ASK, { uri: "urn:test", set });
    await client.packets(3);
    await writeDescription(nodeOn(machine), ASK, { which: "title", text: "one" });
    await client.packets(4);
    const options = { format: "elf", live: false, afterwards: "go-on" } as const;
    await dumpDomain(nodeOn(machine), "vm1", { path: "/var/lib/dump", options });
    const messages = await client.messages(5);
    // VIR_TYPED_PARAM_ULLONG is 4, _STRING 7, _INT 1; VIR_DOMAIN_JOB_OPERATION_DUMP 8.
    expect(messages.slice(0, 4)).toEqual([
      [346, word(0) + ON + word(1) + text("cputune.vcpupin0") + word(7) + text("0")],
      [
        346,
        [
          word(0) + ON + word(3) + text("blkdeviotune.disk") + word(7) + text("vda"),
          text("blkdeviotune.total_iops_sec") + word(4) + long(5n),
          text("blkdeviotune.group_name") + word(7) + text("g"),
        ].join(""),
      ],
      [379, word(2) + ON + word(2) + maybe("urn:test")],
      [379, word(2) + ON + word(1) + maybe(undefined)],
    ]);
    expect(messages[4]?.[0]).toBe(363);
    expect(messages[4]?.[1]).toStartWith(
      word(1) + ON + word(8) + text("operation") + word(1) + word(8) + text("time_elapsed"),
    );
    await client.end();
  });
});
