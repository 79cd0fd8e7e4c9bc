import { expect, test } from "bun:test";

const COMPLETION = new URL("../../completions/svirt.bash", import.meta.url).pathname;

/** Returns the words that bash offers for a word of a command line, on a host with these names. */
async function offered(
  line: readonly string[],
  names: readonly string[],
  { at = 2, command = "list --all --name" }: { readonly command?: string; readonly at?: number } = {},
): Promise<readonly string[]> {
  const script = `
    svirt() { [ "$*" != "$asked" ] || printf '%s\\n' "\${NAMES[@]}"; }
    readarray -t NAMES <<<"$names"
    . "$1"; shift
    COMP_WORDS=(svirt "$@"); COMP_CWORD=$at
    _svirt
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(["bash", "-c", script, "bash", COMPLETION, ...line], {
    env: { ...process.env, names: names.join("\n"), asked: command, at: `${at}` },
    stderr: "pipe",
  });
  const [out, err] = [await new Response(child.stdout).text(), await new Response(child.stderr).text()];
  expect([err, await child.exited]).toEqual(["", 0]);
  return out.split("\n").filter((word) => word !== "");
}

test("the completion offers networks to the commands of networks", async () => {
  expect(await offered(["net-start", "l"], ["lan", "wan"], { command: "net-list --all --name" })).toEqual([
    "lan",
  ]);
});

test("the completion offers pools to the commands of pools", async () => {
  expect(
    await offered(["pool-start", "i"], ["images", "isos", "b"], { command: "pool-list --all --name" }),
  ).toEqual(["images", "isos"]);
});

test("the completion offers the UUIDs of secrets", async () => {
  const table = [
    " UUID   Usage",
    "-----",
    " 55806c7d-8e93-456f-829b-607d8c198367   iscsi san",
    " 66806c7d-8e93-456f-829b-607d8c198367   Unused",
  ];
  expect(await offered(["secret-dumpxml", "5"], table, { command: "secret-list" })).toEqual([
    "55806c7d-8e93-456f-829b-607d8c198367",
  ]);
  expect(await offered(["secret-dumpxml", ""], table, { command: "secret-list" })).toHaveLength(2);
});

test("the completion offers the volumes of the pool that the command line names", async () => {
  const volumes = ["vm.qcow2", "vm two.raw", "base.raw"];
  const list = "vol-list my pool --name";
  expect(
    await offered(["vol-delete", "--pool", "my\\ pool", "vm"], volumes, { command: list, at: 4 }),
  ).toEqual(["vm.qcow2", "vm\\ two.raw"]);
  // Bash divides --pool=images at the =.
  const divided = ["vol-resize", "--pool", "=", "images", "b"];
  expect(await offered(divided, volumes, { command: "vol-list images --name", at: 5 })).toEqual(["base.raw"]);
  expect(
    await offered(["vol-clone", "b", "--pool", "images"], volumes, { command: "vol-list images --name" }),
  ).toEqual(["base.raw"]);
});

test("the completion offers files for a volume without a pool, which is a path", async () => {
  expect(await offered(["vol-delete", "/etc/pas"], [])).toContain("/etc/passwd");
});

test("the completion offers pools behind --pool, and where a volume is created, there also folders", async () => {
  const pools = ["images", "isos", "b"];
  const list = "pool-list --all --name";
  expect(await offered(["vol-delete", "a", "--pool", "i"], pools, { command: list, at: 4 })).toEqual([
    "images",
    "isos",
  ]);
  expect(await offered(["vol-delete", "a", "--pool", "=", "i"], pools, { command: list, at: 5 })).toEqual([
    "images",
    "isos",
  ]);
  expect(await offered(["vol-delete", "a", "--pool", "="], pools, { command: list, at: 4 })).toEqual(pools);
  expect(await offered(["vol-list", "i"], pools, { command: list })).toEqual(["images", "isos"]);
  expect(await offered(["vol-create", "i"], pools, { command: list })).toEqual(["images", "isos"]);
  expect(await offered(["vol-create-as", "/etc/pas"], pools, { command: list })).toContain("/etc/passwd");
});

test("the completion offers the domains that begin with the word, each as one word of the shell", async () => {
  const names = ["web", "web two", "db"];
  expect(await offered(["start", "we"], names)).toEqual(["web", "web\\ two"]);
  expect(await offered(["start", ""], names)).toEqual(["web", "web\\ two", "db"]);
});

test("the completion runs no name as a command, and neither does the completed line", async () => {
  const file = `/tmp/svirt-completion-${process.pid}`;
  const names = [`$(touch ${file})`, `\`touch ${file}\``, `;touch ${file}`, "*"];
  const words = await offered(["start", ""], names);
  const child = Bun.spawn(["bash", "-c", `printf '%s\\n' ${words.join(" ")}`]);
  expect((await new Response(child.stdout).text()).trimEnd().split("\n")).toEqual(names);
  expect(await Bun.file(file).exists()).toBe(false);
});
