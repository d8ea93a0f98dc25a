"""Effects: the start of runs (rules 1 and 2) and deletions (rule 12), in passes against a fake Marketing Cloud."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plugins.shell_query.place import SQL, Place, at

from pollctl_shell_query.fake import COMPLETE, HTML_500, LOST_AFTER, Reply, envelopes
from pollctl_shell_query.fake.hostile import hostile

pytestmark = pytest.mark.slow

REFUSED = Reply(status=400, body=b"bad request")


def test_a_query_is_carried_to_its_end(place: Place) -> None:
    run_id = place.submit("--name", "opens", "--mode", "append")
    assert place.take_requests() == []
    place.run(0)
    (definition,) = place.upstream.definitions.values()
    key = place.row(run_id, "customer_key")
    assert (definition.customer_key, definition.name) == (key, f"opens {key}")
    assert (definition.sql, definition.target, definition.update_type) == (SQL, "DE_1", "Append")
    assert len(key) == 36
    assert place.take_requests() == ["token", "find", "create", "perform"]
    assert place.row(run_id, "status, poll_started_at, started_at, next_poll_at") == ("running", at(), at(), at(2))
    assert place.row(run_id, "task_id, query_definition_id")[1] == definition.object_id

    place.run(1.999)
    assert place.take_requests() == []
    place.run(2)
    assert place.take_requests() == ["status"]
    assert place.row(run_id, "poll_count, next_poll_at") == (1, at(6))
    assert place.run(6)["stats"]["ready"] == 1
    assert place.take_requests() == ["status", "rowset", "delete"]
    assert place.row(run_id, "status, row_count, completed_at, closed_at") == ("ready", 1, at(6), at(6))
    assert place.upstream.definitions == {}
    assert place.run(600)["batches"] == 0
    assert place.take_requests() == []


def test_a_run_cancelled_before_its_start_makes_no_request(place: Place) -> None:
    run_id = place.submit()
    place.do("shell-query", "cancel", run_id, now=at(1))
    place.run(2)
    assert place.take_requests() == []
    assert place.row(run_id, "status, completed_at, sql_text") == ("canceled", at(1), None)


def test_a_run_cancelled_between_its_admission_and_its_start_makes_no_request_for_it(place: Place) -> None:
    run_id = place.submit()
    place.upstream.replies["find"] = [HTML_500]
    place.run(0, code=3)
    place.take_requests()
    place.do("shell-query", "cancel", run_id, now=at(1))
    place.run(70)
    assert place.take_requests() == ["find"]  # nobody knows whether the first try made one; there is none to delete
    assert place.row(run_id) == "canceled"


def test_a_cancel_during_the_creation_wins_and_the_definition_is_deleted(place: Place) -> None:
    run_id = place.submit()
    place.upstream.on_request = lambda kind: (
        place.sql("UPDATE shell_query_runs SET status = 'canceled', completed_at = ?", [at(0)])
        if kind == "create"
        else None
    )
    place.run(0)
    assert place.take_requests() == ["token", "find", "create", "delete"]
    assert place.row(run_id) == "canceled"


def test_a_cancel_during_perform_wins_and_the_definition_is_deleted(place: Place) -> None:
    run_id = place.submit()
    place.upstream.on_request = lambda kind: (
        place.sql("UPDATE shell_query_runs SET status = 'canceled', completed_at = ?", [at(0)])
        if kind == "perform"
        else None
    )
    place.run(0)
    assert place.take_requests() == ["token", "find", "create", "perform", "delete"]
    assert place.row(run_id, "status, task_id") == ("canceled", None)
    assert place.upstream.definitions == {}


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(body=envelopes.created("Error", "Bad <SQL>")), "Bad <SQL>"),
        (Reply(body=envelopes.created("OK", "QueryDefinition created")), "QueryDefinition created"),
        (REFUSED, "answered 400"),
        (Reply(status=403), "answered 403"),
    ],
)
def test_a_create_that_is_refused_fails_the_run_without_a_perform(place: Place, reply: Reply, message: str) -> None:
    run_id = place.submit()
    place.upstream.replies["create"] = [reply]
    assert place.run(0)["stats"]["failed"] == 1
    assert "perform" not in place.take_requests()
    status, error_message, completed_at, text = place.row(run_id, "status, error_message, completed_at, sql_text")
    assert (status, completed_at, text) == ("failed", at(), None)
    assert message in error_message


def test_runs_that_others_wrote_without_a_key_get_one_each_before_their_start(place: Place) -> None:
    place.run(0)
    for name in ("one", "two"):
        place.sql(
            "INSERT INTO shell_query_runs (id, sql_text, target_de_customer_key) VALUES (?, 'SELECT 1', 'DE')", [name]
        )
    place.run(1)
    keys = {definition.customer_key for definition in place.upstream.definitions.values()}
    assert keys == {place.row("one", "customer_key"), place.row("two", "customer_key")}
    assert {len(key) for key in keys} == {36}


def test_a_perform_without_a_task_fails_the_run_and_deletes_its_definition(place: Place) -> None:
    run_id = place.submit()
    place.upstream.replies["perform"] = [Reply(body=envelopes.performed("Error", "Too many queries"))]
    place.run(0)
    assert place.row(run_id, "status, error_message") == ("failed", "Too many queries")
    assert place.upstream.definitions == {}


@pytest.mark.parametrize("kind", ["find", "create", "perform"])
@pytest.mark.parametrize(
    "reply",
    [
        HTML_500,
        LOST_AFTER,
        Reply(status=429, headers={"Retry-After": "90"}),
        Reply(body=hostile("truncated", ""), is_acted=True),
    ],
)
def test_an_error_while_starting_is_tried_again_and_never_makes_a_second_definition(
    place: Place, kind: str, reply: Reply
) -> None:
    run_id = place.submit()
    place.upstream.replies[kind] = [reply]
    place.run(0, code=3)
    assert place.row(run_id) == "queued"
    place.run(120)
    assert place.row(run_id, "status, poll_started_at") == ("running", at(120))
    assert list(place.upstream.creates.values()) == [1] or (kind, reply.is_acted) == ("create", False)
    assert len(place.upstream.definitions) == 1


def test_a_retry_after_of_a_start_is_obeyed(place: Place) -> None:
    place.submit()
    place.upstream.replies["create"] = [Reply(status=500, headers={"Retry-After": "600"})]
    place.run(0, code=3)
    place.take_requests()
    place.run(599, code=0)
    assert place.take_requests() == []
    place.run(600)
    assert place.take_requests() == ["find", "create", "perform"]


def test_a_start_that_the_outbox_gave_up_fails_the_run(place: Place) -> None:
    place.configure(core="[pollctl.outbox]\nmax_attempts = 2")
    run_id = place.submit()
    place.upstream.always["create"] = HTML_500
    place.run(0, code=3)
    assert place.row(run_id) == "queued"
    place.run(120, code=3)
    status, message = place.row(run_id, "status, error_message")
    assert status == "failed"
    assert "Could not be started" in message
    assert "500" in message
    assert place.row(run_id, "sql_text") is None


def test_beyond_max_active_the_rest_wait_and_the_oldest_goes_first(place: Place) -> None:
    place.configure(max_active=2)
    ids = [place.submit(seconds=second) for second in range(3)]
    place.run(10)
    assert [place.row(run_id) for run_id in ids] == ["running", "running", "queued"]
    place.run(12)
    place.run(16)
    assert [place.row(run_id) for run_id in ids] == ["ready", "ready", "queued"]
    place.run(17)
    assert place.row(ids[2]) == "running"


def test_a_run_on_its_way_to_its_start_takes_up_room(place: Place) -> None:
    place.configure(max_active=1)
    first, second = place.submit(seconds=0), place.submit(seconds=1)
    place.upstream.replies["create"] = [HTML_500]
    place.run(2, code=3)
    place.run(3)
    assert place.row(first, "admitted_at") == at(2)
    assert place.row(second, "admitted_at") is None


def test_a_target_of_its_own_is_made_before_and_deleted_a_week_after_the_end(place: Place) -> None:
    run_id = place.submit("--create-target", "Name:Text(50),Opens:Number")
    place.run(0)
    key = place.row(run_id, "target_de_customer_key")
    assert place.take_requests() == ["token", "find_target", "create_target", "find", "create", "perform"]
    assert place.upstream.targets == {
        key: [{"Name": "Name", "MaxLength": "50", "FieldType": "Text"}, {"Name": "Opens", "FieldType": "Number"}]
    }
    place.run(2)
    place.run(6)
    assert place.row(run_id) == "ready"
    week = 7 * 86_400
    place.run(6 + week - 0.001)
    assert list(place.upstream.targets) == [key]
    place.run(6 + week)
    assert place.upstream.targets == {}
    place.take_requests()
    place.run(8 + week)
    assert place.take_requests() == []


# rule 12


def test_a_deletion_whose_answer_was_lost_is_found_done(place: Place) -> None:
    run_id = place.started("--create-target", "a:Number")
    place.upstream.script = [COMPLETE]
    place.upstream.replies["delete"] = place.upstream.replies["delete_target"] = [LOST_AFTER]
    place.run(2, code=3)
    assert place.upstream.definitions == {}
    place.run(120)
    week = 7 * 86_400
    place.upstream.replies["delete_target"] = [LOST_AFTER]
    place.run(week + 60, code=3)
    place.run(week + 180)
    assert place.row(run_id) == "ready"
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "delivered")]
    assert place.effects("delete_target") == [(f"target:{run_id}", "delivered")]


def test_a_deletion_that_is_refused_is_dead_at_once(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.replies["delete"] = [Reply(body=envelopes.deleted("Error", "It is in use"))]
    place.run(2, code=3)
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "dead")]
    assert place.row(run_id) == "ready"


@pytest.mark.parametrize("kind", ["create", "perform", "find"])
def test_an_id_that_is_none_is_not_kept(place: Place, kind: str) -> None:
    long = "x" * 100_000
    bodies = {
        "create": envelopes.created("OK", "", long),
        "perform": envelopes.performed("OK", "", long),
        "find": envelopes.retrieved(
            [f'<Results xsi:type="QueryDefinition"><ObjectID>{long}</ObjectID><CustomerKey>KEY</CustomerKey></Results>']
        ),
    }
    run_id = place.submit()
    key = place.row(run_id, "customer_key")
    place.upstream.replies[kind] = [Reply(body=bodies[kind].replace(b"KEY", key.encode()))]
    place.run(0, code=3)
    assert place.row(run_id) == "queued"


def test_a_definition_that_was_deleted_is_not_taken_for_the_one_of_a_run(place: Place) -> None:
    run_id = place.submit()
    key = place.row(run_id, "customer_key")
    place.upstream.leave_behind(key, timedelta(0), is_active=False)
    place.run(0)
    assert place.row(run_id) == "running"
    assert (place.upstream.creates[key], len(place.upstream.definitions)) == (1, 1)
