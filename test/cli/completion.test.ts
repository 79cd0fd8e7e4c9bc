import { expect, test } from "bun:test";

const COMPLETION = new URL("../../completions/svirt.bash", import.meta.url).pathname;

/** Returns the words that bash offers for the second word of a command line, on a host with these names. */
async function offered(
  line: readonly string[],
  names: readonly string[],
  command = "list --all --name",
): Promise<readonly string[]> {
  const script = `
    svirt() { [ "$*" != "$asked" ] || printf '%s\\n' "\${NAMES[@]}"; }
    readarray -t NAMES <<<"$names"
    . "$1"; shift
    COMP_WORDS=(svirt "$@"); COMP_CWORD=2
    _svirt
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(["bash", "-c", script, "bash", COMPLETION, ...line], {
    env: { ...process.env, names: names.join("\n"), asked: command },
    stderr: "pipe",
  });
  const [out, err] = [await new Response(child.stdout).text(), await new Response(child.stderr).text()];
  expect([err, await child.exited]).toEqual(["", 0]);
  return out.split("\n").filter((word) => word !== "");
}

test("the completion offers networks to the commands of networks", async () => {
  expect(await offered(["net-start", "l"], ["lan", "wan"], "net-list --all --name")).toEqual(["lan"]);
});

test("the completion offers pools to the commands of pools", async () => {
  expect(await offered(["pool-start", "i"], ["images", "isos", "b"], "pool-list --all --name")).toEqual([
    "images",
    "isos",
  ]);
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
