process.stdout.write("Hello, world\n");
