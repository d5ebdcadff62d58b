"""What all runs came to, and whether that is enough."""
import math
import statistics

from ground.row import HEALTHY

RIGHT_SHARE = 0.95
MEDIAN_ERROR = 0.10
IN_RANGE_SHARE = 0.90
BIAS = 0.03  # of the measured time: the median of the errors with their signs
ROUGH_MEDIAN_ERROR = 0.15  # of one round, on a machine that may have something else to do
PREDICTED_SHARE = 0.5  # of what can be put right: a median of hardly any errors says nothing


def named(rows):
    return ", ".join(row.full_name for row in rows) or "none"


def judge_names(rows):
    """Print whether what was found is right; is it, often enough?"""
    right = sum(row.is_right for row in rows)
    fooled = [row for row in rows if row.is_fooled]
    healthy = [row for row in rows if row.expected == HEALTHY]
    ill = [row for row in healthy if not row.is_right]
    inexact = [row for row in rows if not row.is_exact]
    print(f"\nright first findings: {right} of {len(rows)} ({100 * right / len(rows):.0f} %, wanted {100 * RIGHT_SHARE:.0f} %)")
    print(f"taken for what they look like: {named(fooled)}")
    if healthy:
        print(f"healthy, and told as healthy: {len(healthy) - len(ill)} of {len(healthy)}" + (f"; not: {named(ill)}" if ill else ""))
    print(f"chain and shares add up to the wall time: {'always' if not inexact else 'not in ' + named(inexact)}")
    return right >= RIGHT_SHARE * len(rows) and not fooled and not ill and not inexact


def judge_predictions(rows, is_rough):
    """Print how good the predictions are; are they good enough? Roughly: of ranges and bias nothing is asked."""
    measured = [row for row in rows if row.is_measured]
    wanted = math.ceil(PREDICTED_SHARE * sum(row.can_be_put_right for row in rows))
    if not measured:
        print(f"no prediction was measured (wanted {wanted} or more)")
        return not wanted
    median = statistics.median(row.error for row in measured)
    bias = statistics.median(row.signed_error for row in measured)
    inside = sum(row.is_in_range for row in measured)
    longer = sum(row.signed_error > 0 for row in measured)
    most = ROUGH_MEDIAN_ERROR if is_rough else MEDIAN_ERROR
    print(f"median error of the predicted wall time: {100 * median:.0f} % over {len(measured)} (wanted at most {100 * most:.0f} %, over {wanted} or more)")
    print(f"measured within the told range: {inside} of {len(measured)} ({100 * inside / len(measured):.0f} %, wanted {100 * IN_RANGE_SHARE:.0f} %)")
    print(f"bias: {100 * bias:+.1f} % (wanted within {100 * BIAS:.0f} %); {longer} took longer than predicted, {len(measured) - longer} did not")
    is_near = len(measured) >= wanted and median <= most
    return is_near and (is_rough or inside >= IN_RANGE_SHARE * len(measured) and abs(bias) <= BIAS)


def judge(rows, asks_predictions=True, is_rough=False):
    """Print what it came to; is it enough? Without asks_predictions only what does not hang on a quiet machine."""
    if not rows:
        print("nothing was run")
        return False
    names = judge_names(rows)
    predictions = judge_predictions(rows, is_rough)
    if asks_predictions:
        return names and predictions
    return not any(row.misleads or not row.is_exact for row in rows)
