import { type Client, flood, pour } from "./pour.ts";

/**
 * Agent of a compromised guest. It listens at the path, answers the greeting, and answers each command as its
 * second argument says. `file`: a file's content in base64, of that many bytes. `numbers`: that many bytes of
 * short numbers. `endless`: an answer without end. Any other word: no answer.
 */
const [, , path = "", behaviour = "file", bytes = "0"] = process.argv;
const count = Number(bytes);

const ANSWERS: Readonly<Record<string, (client: Client) => void>> = {
  file: (client) =>
    pour(client, `{"return": {"count": ${count}, "buf-b64": "${"QUJD".repeat(count / 4)}", "eof": true}}\n`),
  numbers: (client) => pour(client, `{"return": [${"1,".repeat(count / 2)}1]}\n`),
  endless: (client) => flood(client, "x"),
};

Bun.listen({
  unix: path,
  socket: {
    data(socket, asked) {
      // The byte before a message resets the agent's parser. qemu.git qga/qapi-schema.json
      // guest-sync-delimited
      for (const line of asked.toString("latin1").trim().split("\n")) {
        const { arguments: args, execute } = JSON.parse(line.replace("\u00ff", ""));
        if (execute === "guest-sync-delimited")
          socket.write(Buffer.from(`\u00ff${JSON.stringify({ return: args.id })}\n`, "latin1"));
        else ANSWERS[behaviour]?.(socket);
      }
    },
  },
});
process.stdout.write("listens\n");
