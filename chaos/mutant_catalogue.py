"""The defects. Each is one that somebody could make in good faith, and each breaks one promise."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """In `file`, `original` (which stands there once) becomes `planted`; `tests` are those that should notice."""

    name: str
    file: str
    original: str
    planted: str
    tests: Sequence[str]


_SEEDS = "tests/chaos/test_seeds.py"
_LOOP = (
    "tests/consumers/test_batch_loop.py",
    "tests/aws/test_bucket.py",
    "tests/consumers/test_handlers.py",
)
_ARCHIVE = ("tests/consumers/test_archive.py", "tests/aws/test_bucket.py")
_INDEX = ("tests/consumers/test_index.py", _SEEDS)
_SHAPE = ("tests/invoices",)
_MAPPING = ("tests/local_runtime/event_source_mapping",)
_CLIENT = ("tests/client/test_send.py", "tests/client/test_batches.py", "tests/client/test_repeats.py", _SEEDS)
_TROUBLE = ("tests/client/test_api_trouble.py", _SEEDS)
_INGEST = ("tests/pipeline_api/test_ingest.py", "tests/pipeline_api/test_service_errors.py")
_REJECTIONS = (
    "tests/pipeline_api/test_rejections.py",
    "tests/aws/test_rejections.py",
    "tests/pipeline_ops/test_rejected.py",
)
_WITHDRAW = ("tests/pipeline_ops/test_withdraw.py",)
_LAKE = ("tests/consumers/lake/test_refresh.py", "tests/consumers/lake/test_table.py")
_READS = ("tests/pipeline_api/test_tables.py", "tests/pipeline_api/test_customer.py", _SEEDS)

DEFECTS: tuple[Defect, ...] = (
    Defect(
        "a withdrawal is lost when it arrives before its line",
        "src/invoices/invoice.py",
        "            lines[line_id] = statement_that_holds(lines[line_id], line) if line_id in lines else line\n",
        "            if line_id in lines or not line.Withdrawn:\n"
        "                lines[line_id] = statement_that_holds(lines.get(line_id, line), line)\n",
        (*_SHAPE, _SEEDS),
    ),
    Defect(
        "a redelivered slice overwrites the withdrawal of its lines",
        "src/invoices/invoice.py",
        'name if line.is_ordinary else f"{name}@{line.AsOf}@{line.Withdrawn}"',
        "name",
        (*_SHAPE, _SEEDS),
    ),
    Defect(
        "of equal rows of a batch only one is taken back with it",
        "src/pipeline_ops/withdraw.py",
        "[_row(each.line, as_of)] * each.number",
        "[_row(each.line, as_of)]",
        _WITHDRAW,
    ),
    Defect(
        "a batch that is taken back doubles the rows of its receipt",
        "src/consumers/index.py",
        " or any(line.is_about_own_batch for line in rows.lines)",
        "",
        _INDEX,
    ),
    Defect(
        "the API accepts a statement about no line",
        "src/pipeline_api/ingest/batch.py",
        "map(reject_unnamed_statements, read_in_chunks(texts))",
        "read_in_chunks(texts)",
        ("tests/pipeline_api/test_statements.py",),
    ),
    Defect(
        "of two statements as of one instant the first to arrive holds",
        "src/invoices/line.py",
        'return line.AsOf or "", line.Withdrawn',
        'return line.AsOf or "", False',
        (*_SHAPE, _SEEDS),
    ),
    Defect(
        "the lake acknowledges messages before its commit",
        "src/consumers/lake/refresh.py",
        "            self._unite(staging, done)\n        queue.delete(taken)\n        return done",
        "            queue.delete(taken)\n            self._unite(staging, done)\n        return done",
        _LAKE,
    ),
    Defect(
        "deltalake rebases a commit of the lake that lost a race",
        "src/consumers/lake/table.py",
        "commit_properties=CommitProperties(max_commit_retries=0),\n                # A checkpoint",
        "commit_properties=CommitProperties(max_commit_retries=10),\n                # A checkpoint",
        _LAKE,
    ),
    Defect(
        "the lake commits without a condition",
        "src/consumers/lake/table.py",
        "snapshot.delta.create_write_transaction(",
        "self._open().create_write_transaction(",
        _LAKE,
    ),
    Defect(
        "equal new lines are not united in the lake",
        "src/consumers/lake/staging.py",
        'distinct = f"SELECT DISTINCT {_NAMES} FROM staged',
        'distinct = f"SELECT {_NAMES} FROM staged',
        _LAKE,
    ),
    Defect(
        "the lake's set has a column that says from which object a line is, as DISTINCT over raw/dt=… has in DuckDB",
        "src/consumers/lake/staging.py",
        "None if line.Occurrence else line_id(line, batch_id, number)",
        "line_id(line, batch_id, number) if line.Occurrence else batch_id",
        _LAKE,
    ),
    Defect(
        "ignore UnprocessedItems",
        "src/consumers/index.py",
        'requests = dict(dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"])',
        "dynamodb.batch_write_item(RequestItems=requests)\n            requests = {}",
        ("tests/consumers/test_batch_write.py",),
    ),
    Defect(
        "ignore UnprocessedKeys",
        "src/pipeline_api/queries/tables.py",
        'if not (left := answer["UnprocessedKeys"].get(self.invoices)):',
        'if not (left := answer["UnprocessedKeys"].get(self.invoices)) or left:',
        _READS,
    ),
    Defect(
        "the consumer acknowledges what it could not write",
        "src/consumers/batch_loop.py",
        '            return _redeliver_from(record)\n    return {"batchItemFailures": []}',
        '            return {"batchItemFailures": []}\n    return {"batchItemFailures": []}',
        _LOOP,
    ),
    Defect(
        "the consumer goes on behind a failure and reports the last one",
        "src/local_runtime/event_source_mapping/events.py",
        "return PartialFailure(min(known))",
        "return PartialFailure(max(known))",
        _MAPPING,
    ),
    Defect(
        "checkpoint after a failure",
        "src/local_runtime/event_source_mapping/shard.py",
        "self._progress.acknowledge(disposition.acknowledged)",
        "self._progress.acknowledge(batch.records)",
        _MAPPING,
    ),
    Defect(
        "the checkpoint passes a record whose predecessor is not done",
        "src/local_runtime/event_source_mapping/checkpoints.py",
        "while self._open and self._is_done(self._open[0]):",
        "while self._open and any(map(self._is_done, self._open)):",
        _MAPPING,
    ),
    Defect(
        "discard without asking the on-failure destination",
        "src/local_runtime/event_source_mapping/shard.py",
        "self._batches.appendleft(after_destination_error(batch, context.rules, now))",
        "self._progress.discard(batch.records)",
        _MAPPING,
    ),
    Defect(
        "only the first record of a batch is worked on",
        "src/consumers/batch_loop.py",
        "            _consume_record(record, stage, metrics_log)\n",
        '            _consume_record(record, stage, metrics_log)\n            return {"batchItemFailures": []}\n',
        _LOOP,
    ),
    Defect(
        "a second delivery rewrites the receipt",
        "src/aws/receipts.py",
        'ConditionExpression="attribute_not_exists(BatchId)"',
        'ConditionExpression="attribute_not_exists(BatchId) OR attribute_exists(BatchId)"',
        ("tests/aws/test_receipts.py",),
    ),
    Defect(
        "a receipt for a record whose dead letter is not kept",
        "src/consumers/batch_loop.py",
        "    if outcome.dead_letter:\n        stage.put_dead_letter(",
        "    if outcome.receipt:\n        stage.put_receipt(outcome.receipt)\n"
        "    if outcome.dead_letter:\n        stage.put_dead_letter(",
        ("tests/consumers/test_batch_loop.py",),
    ),
    Defect(
        "set-aside rows count as stored",
        "src/consumers/index.py",
        "stored=len(rows.lines),",
        "stored=len(rows.lines) + rows.rejected,",
        ("tests/consumers/test_index.py", _SEEDS),
    ),
    Defect(
        "a sequence number as identity",
        "src/consumers/index.py",
        "self.store(rows, record.batch_id)",
        "self.store(rows, record.sequence_number)",
        _INDEX,
    ),
    Defect(
        "a random object key",
        "src/consumers/archive.py",
        "key = raw_key(record.batch_id)",
        'key = raw_key(__import__("uuid").uuid4().hex)',
        _ARCHIVE,
    ),
    Defect(
        "an object key by the time of arrival",
        "src/invoices/batch.py",
        "return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC)",
        "return datetime.now(UTC)",
        _SHAPE,
    ),
    Defect(
        "overwrite the raw object",
        "src/aws/bucket.py",
        'IfNoneMatch="*", ',
        "",
        _ARCHIVE,
    ),
    Defect(
        "drop the second body of a batch id",
        "src/consumers/archive.py",
        "if not self._bucket.create(key, record.data, _CONTENT_TYPE) and not self._holds_rows_of(key, record.data):",
        "if not self._bucket.create(key, record.data, _CONTENT_TYPE) and not key:",
        _ARCHIVE,
    ),
    Defect(
        "swallow what cannot be read",
        "src/consumers/batch_loop.py",
        "    except Rejected as error:\n        return Outcome([], DeadLetter(record.data, str(error)))",
        "    except Rejected:\n        return Outcome([])",
        _LOOP,
    ),
    Defect(
        "a rejected record is tried again for ever",
        "src/consumers/batch_loop.py",
        "    except Rejected as error:\n        return Outcome([], DeadLetter(record.data, str(error)))",
        "    except Rejected as error:\n        raise Retryable(str(error)) from error",
        _LOOP,
    ),
    Defect(
        "a throttled record is set aside",
        "src/consumers/batch_loop.py",
        "    except Rejected as error:\n",
        "    except (Rejected, Retryable) as error:\n",
        _LOOP,
    ),
    Defect(
        "a lost connection counts as done",
        "src/aws/errors.py",
        'raise Unavailable(f"{service} did not answer ({type(error).__name__})") from error',
        "return",
        ("tests/aws/test_errors.py", *_INGEST),
    ),
    Defect(
        "a poison row takes its neighbours with it",
        "src/consumers/index.py",
        "        self.store(rows, record.batch_id)\n",
        "        if not rows.errors:\n            self.store(rows, record.batch_id)\n",
        _INDEX,
    ),
    Defect(
        "set aside without the payload",
        "src/aws/bucket.py",
        "payload_base64=b64encode(dead_letter.payload).decode()",
        'payload_base64=""',
        _LOOP,
    ),
    Defect(
        "set aside the valid rows, too",
        "src/consumers/index.py",
        'pack(b"\\n".join(texts[index] for index in invalid))',
        'pack(b"\\n".join(texts))',
        _INDEX,
    ),
    Defect(
        "log what was set aside",
        "src/consumers/batch_loop.py",
        '_logger.error("Dead letter: %s", dead_letter.reason, extra=_log_fields(record))',
        '_logger.error("Dead letter: %s %r", dead_letter.reason, record.data, extra=_log_fields(record))',
        ("tests/consumers/test_batch_loop.py", _SEEDS),
    ),
    Defect(
        "drop the last line of a record",
        "src/invoices/invoice.py",
        "zip(rows.lines, numbers or numbers_in_batch(rows.lines), strict=True)",
        "zip(rows.lines[:-1], (numbers or numbers_in_batch(rows.lines))[:-1], strict=True)",
        _SHAPE,
    ),
    Defect(
        "slice ids by count",
        "src/invoices/invoice.py",
        'return blake2b("".join(sorted(names)).encode(), digest_size=_ID_BYTES).hexdigest()',
        'return f"{len(list(names)):024x}"',
        _SHAPE,
    ),
    Defect(
        "no pointer for a customer",
        "src/consumers/index.py",
        "yield from (Put(self._customers_table, item) for item in pointer_items(invoice_slice))",
        "yield from (Put(self._customers_table, item) for item in pointer_items(invoice_slice)[1:])",
        _INDEX,
    ),
    Defect(
        "a line id that depends on the batch",
        "src/invoices/line.py",
        'place = f"#{occurrence}" if occurrence else',
        'place = f"#{occurrence}@{batch_id}" if occurrence else',
        _SHAPE,
    ),
    Defect(
        "an invoice is its last slice",
        "src/invoices/invoice.py",
        "        for line_id, line in invoice_slice.lines.items():\n            lines[line_id]",
        "        lines = {}\n        for line_id, line in invoice_slice.lines.items():\n            lines[line_id]",
        _SHAPE,
    ),
    Defect(
        "money as a float",
        "src/invoices/normal_forms.py",
        "price = Decimal(text).normalize()",
        "price = Decimal(float(text)).normalize()",
        _SHAPE,
    ),
    Defect(
        "the API accepts without putting",
        "src/pipeline_api/ingest/route.py",
        "    stream.put(batch_id, batch.record)\n",
        "",
        _INGEST,
    ),
    Defect(
        "the API accepts what the stream refused",
        "src/pipeline_api/ingest/route.py",
        "    stream.put(batch_id, batch.record)\n",
        "    try:\n        stream.put(batch_id, batch.record)\n    except Exception:\n        pass\n",
        _INGEST,
    ),
    Defect(
        "another key for each attempt",
        "client/api.py",
        "            response = await self._client.send(request)\n",
        '            request.headers["Idempotency-Key"] = self._environment.new_key()\n'
        "            response = await self._client.send(request)\n",
        _TROUBLE,
    ),
    Defect(
        "repeats are not numbered",
        "client/repeats.py",
        "        return numbers\n",
        "        return numbers * 0 + 1\n",
        _CLIENT,
    ),
    Defect(
        "a bucket that fails fails the request",
        "src/pipeline_api/ingest/route.py",
        "    except (Retryable, BotoCoreError, ClientError) as error:\n        _logger",
        "    except ZeroDivisionError as error:\n        _logger",
        _REJECTIONS,
    ),
    Defect(
        "rows of a request without a valid row are not kept",
        "src/pipeline_api/ingest/route.py",
        "_keep_rejected(open_rejections, batch_id, error) if isinstance(error, InvalidRows) else []",
        "[]",
        _REJECTIONS,
    ),
    Defect(
        "a resend decides anew about a row that was resent",
        "src/pipeline_ops/rejected.py",
        " for row in rejection.rows if row.resent is None)",
        " for row in rejection.rows)",
        _REJECTIONS,
    ),
    Defect(
        "a resend puts only its new rows on the stream",
        "src/pipeline_ops/rejected.py",
        "    if after.summary.resent and not after.summary.is_sent and not dry_run:",
        "    if rows and not dry_run:",
        _REJECTIONS,
    ),
    Defect(
        "a rejected row is counted and not named",
        "client/upload.py",
        "self._rejects.add(part.rows.line(index), fields, reasons, part.rows.original(index))",
        "pass",
        _CLIENT,
    ),
    Defect(
        "batches cut through invoices",
        "client/batches.py",
        "return max((start for start in rows.invoice_starts() if start <= most), default=most)",
        "return most",
        _CLIENT,
    ),
    Defect(
        "a 5xx counts as an answer",
        "client/api.py",
        "if response.status_code in RETRIED_STATUSES:",
        "if response.status_code in RETRIED_STATUSES - {500}:",
        _TROUBLE,
    ),
)
