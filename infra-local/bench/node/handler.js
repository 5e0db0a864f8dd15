// The handbook's price-fetcher with its own stack: a middy chain, zod at the door, winston for the log, and DynamoDB by the SDK.
// It does what ours does with the same tables: price and audit item are read and written one after the other, and there is no
// price without an audit item.
import { randomUUID } from "node:crypto";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import middy from "@middy/core";
import winston from "winston";
import { z } from "zod";

const dynamo = new DynamoDBClient({});
const log = winston.createLogger({ format: winston.format.json(), transports: [new winston.transports.Console()] });
const query = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/), userId: z.string().uuid() });
const RETENTION_S = 90 * 24 * 60 * 60;

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: JSON.stringify(body),
});

const logging = {
  before: (request) => {
    request.internal.began = performance.now();
  },
  after: (request) => {
    const { began } = request.internal;
    log.info("answered", { requestId: request.context.awsRequestId, status: request.response.statusCode, ms: performance.now() - began });
  },
};

const validating = {
  before: (request) => {
    const given = query.safeParse(request.event.queryStringParameters ?? {});
    if (!given.success) return answer(400, { code: "INVALID_REQUEST", message: "the request is not valid" });
    request.event.query = given.data;
  },
};

const failing = {
  onError: (request) => {
    log.error("failed", { requestId: request.context.awsRequestId, error: request.error.name });
    request.response = answer(503, { code: "STORE_UNAVAILABLE", message: "try again later" });
  },
};

async function price(event, context) {
  const { id, userId } = event.query;
  const key = { pk: { S: `PRICE#${id}` }, sk: { S: "PRICE" } };
  const { Item: found } = await dynamo.send(new GetItemCommand({ TableName: process.env.TABLE_DATA, Key: key }));
  const at = new Date().toISOString();
  const item = {
    pk: { S: `USER#${userId}` },
    sk: { S: `AUDIT#${at}#${randomUUID()}` },
    at: { S: at },
    product: { S: id },
    product_day: { S: `${id}#${at.slice(0, 10)}` },
    action: { S: "PRICE_FETCH" },
    status: { S: found ? "SUCCESS" : "NOT_FOUND" },
    purpose: { S: "USER" },
    request_id: { S: event.requestContext?.requestId ?? context.awsRequestId },
    expires_at: { N: String(Math.floor(Date.now() / 1000) + RETENTION_S) },
  };
  const condition = { ConditionExpression: "attribute_not_exists(pk)" };
  await dynamo.send(new PutItemCommand({ TableName: process.env.TABLE_AUDIT, Item: item, ...condition }));
  if (!found) return answer(404, { code: "NOT_FOUND", message: "there is no such product" });
  return answer(200, { productId: id, price: Number(found.price.S), currency: found.currency.S });
}

export const handler = middy().use(logging).use(failing).use(validating).handler(price);
