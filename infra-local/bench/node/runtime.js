// Lambda's Runtime API in a loop. The managed runtime does more, so this is in Node's favour.
import http from "node:http";
import { handler } from "./handler.js";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}` }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ id: answer.headers["lambda-runtime-aws-request-id"], body: Buffer.concat(parts) }));
    });
    request.on("error", reject);
    request.end(body);
  });

for (;;) {
  const { id, body } = await call("GET", "next");
  try {
    const answer = await handler(JSON.parse(body), { awsRequestId: id, getRemainingTimeInMillis: () => 5000 });
    await call("POST", `${id}/response`, JSON.stringify(answer));
  } catch (error) {
    await call("POST", `${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
