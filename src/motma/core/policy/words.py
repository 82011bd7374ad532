"""What can be wrong with a policy, in both languages."""

from motma.core import errors
from motma.core.words import Words

WORDS = {
    said.code: said.words
    for said in [
        errors.Problem("policy.refused", Words("Chính sách có lỗi.", "There are mistakes in the policy.")),
        errors.Problem("policy.type", Words("Không đúng loại giá trị ở đây.", "Not the type of value that goes here.")),
        errors.Problem("policy.missing", Words("Thiếu mục này.", "This is missing.")),
        errors.Problem("policy.name", Words("Không có mục nào tên như vậy.", "Nothing here has that name.")),
        errors.Problem(
            "policy.id",
            Words(
                "Tên chỉ gồm chữ thường không dấu, số và gạch; tên luật và lý do có một dấu chấm ở giữa.",
                "A name is plain lower-case letters, digits and dashes; of a rule or reason, two with a point between.",
            ),
        ),
        errors.Problem("policy.version", Words("Phiên bản là số nguyên từ 1.", "A version is an integer, 1 or more.")),
        errors.Problem(
            "policy.date",
            Words(
                "Không phải thời điểm có thật, kèm múi giờ, như 2021-08-22T00:00:00+07:00.",
                "Not an existing date-time with its zone, such as 2021-08-22T00:00:00+07:00.",
            ),
        ),
        errors.Problem("policy.dates", Words("Hết hiệu lực trước khi bắt đầu.", "It ends before it begins.")),
        errors.Problem(
            "policy.words",
            Words('Viết cả hai thứ tiếng: ["tiếng Việt", "tiếng Anh"].', 'Both languages: ["Vietnamese", "English"].'),
        ),
        errors.Problem(
            "policy.text", Words("Phải là chữ, từ 1 đến 500 ký tự.", "Must be a text of 1 to 500 characters.")
        ),
        errors.Problem(
            "policy.value", Words("Chính sách không có giá trị tên này.", "The policy has no value of that name.")
        ),
        errors.Problem(
            "policy.waives",
            Words(
                "Chỉ luật có kết luận accept mới được miễn các chính sách khác.",
                "Only a rule with the verdict accept can waive other policies.",
            ),
        ),
        errors.Problem(
            "policy.verdict",
            Words(
                "Kết luận là reject, manual, refer, hoặc accept (chỉ ghi chú).",
                "A verdict is reject, manual, refer, or accept (only a remark).",
            ),
        ),
        errors.Problem(
            "policy.known",
            Words("Điều chưa biết chỉ có thể là manual.", "What is not known can only be manual."),
        ),
        errors.Problem(
            "policy.reason_taken",
            Words("Lý do này do hệ thống giữ.", "This reason belongs to the system itself."),
        ),
        errors.Problem(
            "policy.as_read",
            Words(
                "Luật có lý do “code.*” chỉ đọc và khai “code.problem”.",
                "A rule with the reason “code.*” reads and declares “code.problem” alone.",
            ),
        ),
        errors.Problem("policy.twice", Words("Tên này đã dùng ở trên.", "This name is used above already.")),
        errors.Problem("policy.too_many", Words("Quá nhiều mục.", "Too many of them.")),
        errors.Problem(
            "policy.field", Words("Dữ liệu xét duyệt không có trường này.", "The evidence has no such field.")
        ),
        errors.Problem(
            "policy.undeclared",
            Words(
                "Luật đọc một trường không khai trong “affected”.",
                "The rule reads a field that “affected” does not declare.",
            ),
        ),
        errors.Problem("policy.no_tests", Words("Luật phải có bài thử.", "A rule needs tests.")),
        errors.Problem(
            "policy.one_sided",
            Words(
                "Cần ít nhất một bài thử luật đúng và một bài thử luật không đúng.",
                "Tests must show the rule both holding and not holding.",
            ),
        ),
        errors.Problem(
            "policy.test_fails", Words("Bài thử cho kết quả ngược lại.", "The test comes out the other way.")
        ),
        errors.Problem(
            "policy.test_error", Words("Luật không tính được cho bài thử này.", "The rule has no value in this test.")
        ),
        errors.Problem(
            "policy.too_large",
            Words(
                "Quá nhiều phép tính cho một lượt quét. Bớt luật, bớt giá trị lồng nhau, hoặc bớt bài thử.",
                "Too much to work out for one scan: fewer rules, values within values, or tests.",
            ),
        ),
        errors.Problem(
            "policy.waives_guard",
            Words(
                "Luật này miễn cả khi mã giả, khi người đã bị rút quyền đi lại, hoặc khi người đã dương tính. "
                "Có thật sự muốn vậy không?",
                "This waives even what stops a forged code, somebody whose right was withdrawn, or who tested "
                "positive. Is that meant?",
            ),
        ),
        errors.Problem(
            "policy.lets_nobody",
            Words("Trong các bài thử không ai qua được.", "In its tests this policy lets nobody through."),
        ),
        errors.Problem(
            "policy.lets_everybody",
            Words("Trong các bài thử ai cũng qua được.", "In its tests this policy lets everybody through."),
        ),
    ]
}
"""By code: what :func:`motma.core.policy.examine` says, problems and warnings."""
