// node serve.cjs kinesalite|dynalite PORT: in memory, on loopback only; their own command lines listen everywhere.
const [name, port] = process.argv.slice(2)
const options = { createStreamMs: 0, createTableMs: 0, shardLimit: 1000000 }
require(name)(options).listen(Number(port), "127.0.0.1")
