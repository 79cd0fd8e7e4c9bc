import { expect, test } from "bun:test";
import { diskXml, domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn, type Said } from "../../in-memory.ts";

/** Returns an answer of query-blockstats for one disk, each number different. */
function statsOf(device: string, first: number): unknown {
  const [rd, wr] = [first, first + 3];
  return {
    qdev: `/machine/peripheral/${device}/virtio-backend`,
    stats: {
      rd_operations: rd,
      rd_bytes: rd + 1,
      rd_total_time_ns: rd + 2,
      wr_operations: wr,
      wr_bytes: wr + 1,
      wr_total_time_ns: wr + 2,
      flush_operations: first + 6,
      flush_total_time_ns: first + 7,
    },
  };
}

async function ask(...words: readonly string[]): Promise<Said> {
  const machine = makeMachine();
  const stats = [statsOf("virtio-disk0", 10), statsOf("virtio-disk1", 1000)];
  machine.qemu = { answers: new Map([["query-blockstats", stats]]) };
  const disks = diskXml("/var/lib/images/top.qcow2", "vda") + diskXml("/var/lib/images/private1.raw", "vdb");
  machine.files.put("/vm1.xml", "file", { bytes: domainXml({ disks }) });
  await runOn(machine, "create", "/vm1.xml");
  return await runOn(machine, "domblkstat", "vm1", ...words);
}

// Names, order and layout are those of virsh-domain-monitor.c of libvirt.
test("domblkstat tells what one disk has done, in virsh's layout", async () => {
  const { out, code } = await ask("vdb");
  expect(code).toBe(0);
  expect(out).toBe(
    "vdb rd_req 1000\nvdb rd_bytes 1001\nvdb wr_req 1003\nvdb wr_bytes 1004\nvdb flush_operations 1006\n" +
      "vdb rd_total_times 1002\nvdb wr_total_times 1005\nvdb flush_total_times 1007\n\n",
  );
});

test("domblkstat tells what all disks have done together, where none is named", async () => {
  const { out } = await ask();
  expect(out).toStartWith(
    " rd_req 1010\n rd_bytes 1012\n wr_req 1016\n wr_bytes 1018\n flush_operations 1022\n",
  );
  expect(JSON.parse((await ask("--json")).out)).toEqual({
    statistics: {
      readRequests: 1010,
      readBytes: 1012,
      writeRequests: 1016,
      writeBytes: 1018,
      flushRequests: 1022,
      readNs: 1014,
      writeNs: 1020,
      flushNs: 1024,
    },
  });
});

test("domblkstat --human says in words what each number is", async () => {
  expect((await ask("vda", "--human")).out).toBe(
    [
      "Device: vda",
      " number of read operations:      10",
      " number of bytes read:           11",
      " number of write operations:     13",
      " number of bytes written:        14",
      " number of flush operations:     16",
      " total duration of reads (ns):   12",
      " total duration of writes (ns):  15",
      " total duration of flushes (ns): 17",
      "",
      "",
    ].join("\n"),
  );
});

test("domblkstat knows no other disk", async () => {
  expect(await ask("vdc")).toMatchObject({ code: 3, out: "" });
});
