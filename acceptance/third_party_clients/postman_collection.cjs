// Makes a Postman collection of an OpenAPI document: node postman_collection.cjs < openapi.json > collection.json
const converter = require("openapi-to-postmanv2");
const { readFileSync } = require("node:fs");

const OPTIONS = { folderStrategy: "Tags", parametersResolution: "Example", includeAuthInfoInExample: false };
const CHECK = ['pm.test("is answered with success", () => pm.response.to.be.success);'];
// A stack that is new has had no refresh of the lake.
const CHECK_TOTALS = ['pm.test("is answered with success, or nothing is in the lake yet", () => pm.expect(pm.response.code).to.be.oneOf([200, 404]));'];

// The list of rejections gives an id to the request behind it, which is skipped where nothing was rejected.
const KEEP_ID = [
  "const [first] = pm.response.json().rejections;",
  'if (first) pm.collectionVariables.set("rejectionId", first.id);',
];
const SKIP_WITHOUT_ID = ['if (!pm.collectionVariables.get("rejectionId")) pm.execution.skipRequest();'];

// It would send a row in place of one that somebody else's request had: a person chooses the row.
const SKIP_WITHOUT_ROW = ['if (!pm.collectionVariables.get("rowIndex")) pm.execution.skipRequest();'];

// The converter knows OpenAPI's own examples, but not those of a JSON schema.
function withExamples(document) {
  for (const operation of Object.values(document.paths).flatMap(Object.values)) {
    for (const parameter of operation.parameters ?? []) {
      const found = parameter.schema.examples ?? parameter.schema.anyOf?.flatMap((each) => each.examples ?? []);
      if (found?.length) parameter.example = found[0];
    }
    const json = operation.requestBody?.content["application/json"];
    if (json?.examples) operation.requestBody.content = { "application/json": { schema: json.schema, example: json.examples.one.value } };
  }
  return document;
}

function script(listen, exec) {
  return { listen, script: { type: "text/javascript", exec } };
}

// Without what changes from one conversion to the next, and without what a person would have to take out first.
function tidied(item) {
  delete item.id;
  if (item.item) return { ...item, item: item.item.map(tidied) };
  delete item.response;
  const path = item.request.url.path.join("/");
  const [isList, isOne, isRow] = ["rejections", "rejections/:id", "rejections/:id/rows/:index"].map((each) => each === path);
  for (const query of item.request.url.query) {
    if (query.key === "next_token") Object.assign(query, { value: "", disabled: true });
    if (isList && query.key !== "limit") query.disabled = true;
  }
  if (isOne || isRow) item.request.url.variable[0].value = "{{rejectionId}}";
  if (isRow) item.request.url.variable[1].value = "{{rowIndex}}";
  const skip = isOne ? SKIP_WITHOUT_ID : isRow ? SKIP_WITHOUT_ROW : [];
  const before = skip.length ? [script("prerequest", skip)] : [];
  return { ...item, event: [...before, script("test", isList ? [...CHECK, ...KEEP_ID] : path === "totals" ? CHECK_TOTALS : CHECK)] };
}

const document = withExamples(JSON.parse(readFileSync(0, "utf8")));
converter.convertV2({ type: "json", data: document }, OPTIONS, (error, conversion) => {
  if (error || !conversion.result) throw error ?? new Error(conversion.reason);
  const collection = conversion.output[0].data;
  delete collection.info._postman_id;
  collection.item = collection.item.map(tidied);
  collection.variable = [
    { key: "baseUrl", value: "http://127.0.0.1:8000" },
    { key: "apiKey", value: "" },
    { key: "rowIndex", value: "" },
  ];
  process.stdout.write(JSON.stringify(collection, null, 2) + "\n");
});
