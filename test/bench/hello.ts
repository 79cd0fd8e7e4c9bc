// biome-ignore lint/suspicious/noConsole: bun's own hello world, in the quickest way that bun has.
console.log("Hello, world");
