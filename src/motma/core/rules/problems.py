"""What can be wrong with a rule, and where: a stable code, a JSON Pointer (RFC 6901) and words in both languages."""

from dataclasses import dataclass

from motma.core import errors
from motma.core.errors import Invalid
from motma.core.words import Words


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an expression. ``path`` is a JSON Pointer into it, "" the whole of it."""

    path: str
    code: str
    words: Words


class RuleError(Invalid):
    """A rule that has no value: it is no expression, or asks of the data what the data cannot answer.

    ``path`` is a JSON Pointer into the expression. It never says yes or no: whoever asked makes ``manual`` of it.
    """

    def __init__(self, code: str, path: str) -> None:
        super().__init__(code, WORDS[code])
        self.path = path

    def __str__(self) -> str:
        return f"{self.code} at {self.path or 'the root'}"


def problem(code: str, path: str) -> Problem:
    """``code`` at ``path``, with its words."""
    return Problem(path, code, WORDS[code])


def below(path: str, *steps: str | int) -> str:
    """The JSON Pointer of what lies at ``steps`` under ``path``."""
    return path + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


_ALL = [
    # -- what the expression is -------------------------------------------------------------------------------------
    errors.Problem(
        "rule.not_json",
        Words(
            "Không phải giá trị JSON. Ngày giờ phải viết trong dấu nháy, không dùng NaN hay vô cực.",
            "Not a JSON value. Write dates in quotation marks; NaN and infinity do not exist.",
        ),
    ),
    errors.Problem(
        "rule.null",
        Words(
            "Không viết null trong luật. Muốn biết có giá trị hay không, dùng “!” hoặc “if” trên “var”.",
            "A rule does not write null. To ask whether something is there, use “!” or “if” on a “var”.",
        ),
    ),
    errors.Problem(
        "rule.not_integer",
        Words("Số viết trong luật phải là số nguyên.", "A number written in a rule must be an integer."),
    ),
    errors.Problem(
        "rule.number",
        Words(
            "Số quá lớn: các máy chỉ hiểu giống nhau đến ±9 007 199 254 740 991.",
            "Too large a number: devices agree only up to ±9,007,199,254,740,991.",
        ),
    ),
    errors.Problem(
        "rule.form",
        Words(
            'Phép toán phải có dạng {"tên": [toán hạng, …]}, đúng một tên; “var” nhận một chuỗi.',
            'An operation has the form {"name": [operand, …]} with exactly one name; “var” takes a text.',
        ),
    ),
    errors.Problem(
        "rule.operation",
        Words(
            "CertLogic không có phép toán này. Thay cho or và !==, dùng if và !.",
            "CertLogic has no such operation. In place of or and !==, use if and !.",
        ),
    ),
    errors.Problem("rule.arity", Words("Sai số toán hạng.", "The wrong number of operands.")),
    errors.Problem(
        "rule.path",
        Words(
            "Đường dẫn phải là các tên cách nhau bằng một dấu chấm, hoặc rỗng.",
            "A path is names separated by single dots, or empty.",
        ),
    ),
    errors.Problem(
        "rule.lambda",
        Words(
            "Trong “reduce” chỉ có “current” và “accumulator”; dữ liệu bên ngoài không thấy được.",
            "Inside “reduce” there are only “current” and “accumulator”; the data outside cannot be seen.",
        ),
    ),
    errors.Problem(
        "rule.argument",
        Words(
            "Phải là số nguyên viết thẳng ra (số lượng, thứ tự), hoặc một trong year, month, day, hour.",
            "Must be an integer as it stands (amount, index), or one of year, month, day, hour.",
        ),
    ),
    errors.Problem("rule.too_deep", Words("Lồng nhau quá 64 tầng.", "Nested more than 64 levels deep.")),
    errors.Problem("rule.too_large", Words("Luật dài quá 10 000 phần tử.", "A rule of more than 10,000 parts.")),
    # -- what comes of it with these data ---------------------------------------------------------------------------
    errors.Problem(
        "rule.operand",
        Words("Toán hạng không đúng loại cho phép toán này.", "An operand of the wrong type for this operation."),
    ),
    errors.Problem(
        "rule.truth",
        Words(
            "Giá trị này không đúng cũng không sai (ngày giờ, số lẻ): hãy so sánh nó với một giá trị khác.",
            "Neither true nor false (a date-time, a fraction): compare it with something.",
        ),
    ),
    errors.Problem(
        "rule.date",
        Words(
            "Không phải ngày hoặc thời điểm có thật, từ năm 0001 đến 9999, theo dạng CertLogic cho phép.",
            "Not an existing date or date-time of the years 0001 to 9999 in a form that CertLogic allows.",
        ),
    ),
    errors.Problem(
        "rule.range",
        Words(
            "Kết quả vượt quá số hoặc thời điểm mà mọi máy đều biểu diễn được.",
            "The result is beyond the numbers or dates that every device has.",
        ),
    ),
    errors.Problem(
        "rule.budget",
        Words(
            "Tính quá lâu: dữ liệu hoặc luật quá lớn.",
            "Too much work: the data or the rule is too large.",
        ),
    ),
    errors.Problem(
        "rule.data",
        Words("Dữ liệu không phải JSON.", "The data is not JSON."),
    ),
]
WORDS = {entry.code: entry.words for entry in _ALL}
"""Every code that a rule can fail with, and its words."""
