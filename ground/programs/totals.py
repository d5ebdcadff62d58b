"""What all programs came to, and whether that is enough."""
from ground.programs.entry import BLAMES
from ground.totals import judge_names, judge_predictions, named

LINE_SHARE = 0.90


def judge_lines(results):
    """Print how often the line is right where one is at fault; is that often enough?"""
    asked = [result for result in results if result.asks_for_line and result.is_right]
    wrong = [result for result in asked if not result.has_right_line]
    share = 1 - len(wrong) / len(asked) if asked else 1
    print(f"right lines: {len(asked) - len(wrong)} of {len(asked)} ({100 * share:.0f} %, wanted {100 * LINE_SHARE:.0f} %)" + (f"; not: {named(wrong)}" if wrong else ""))
    return share >= LINE_SHARE


def judge_endings(results):
    """Print which programs did not end as they do unwatched; is it none?"""
    others = [result for result in results if result.difference]
    print(f"ended as they do unwatched: {len(results) - len(others)} of {len(results)}" + (f"; not: {named(others)}" if others else ""))
    return not others


def judge_programs(results, asks_predictions=True, is_rough=False):
    """Print what it came to; is it enough?"""
    if not results:
        print("no program was run")
        return False
    innocent = [result for result in results if result.expected not in BLAMES]
    blamed = [result for result in innocent if result.is_blamed]
    names, lines, endings, predictions = judge_names(results), judge_lines(results), judge_endings(results), judge_predictions(results, is_rough)
    print(f"innocent programs that were blamed: {named(blamed)} (of {len(innocent)})")
    if not asks_predictions:
        return endings and not any(result.misleads for result in results)
    return names and lines and endings and predictions and not blamed
