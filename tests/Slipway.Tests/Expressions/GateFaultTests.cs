using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Expressions;

public class GateFaultTests
{
    [Theory]
    [InlineData("", 1, "empty-expression")]
    [InlineData("   ", 1, "empty-expression")]
    [InlineData("auc >= ", 8, "unexpected-token")]
    [InlineData("auc >= 0.6 0.7", 12, "unexpected-token")]
    [InlineData("(auc >= 0.6", 12, "unclosed-parenthesis")]
    [InlineData("auc >= 0.6)", 11, "unexpected-token")]
    [InlineData("auc = 0.6", 5, "unexpected-character")]
    [InlineData("auc >= 0.6 & n > 1", 12, "unexpected-character")]
    [InlineData("0.5 < auc < 0.7", 11, "chained-comparison")]
    [InlineData("auc >= 1.2.3", 8, "bad-number")]
    [InlineData("auc >= 1e999", 8, "bad-number")]
    [InlineData("auc >= 5ms", 8, "bad-number")]
    [InlineData("auc. >= 1", 6, "unexpected-token")]
    [InlineData("slices.hour.all(s s.auc > 1)", 19, "unexpected-token")]
    [InlineData("slices.hour.all(1, s.auc > 1)", 17, "unexpected-token")]
    [InlineData("slices.hour.all(s, s.auc > 0.5", 31, "unclosed-parenthesis")]
    [InlineData("slices.hour.any(s, s.value == 'x)", 31, "unclosed-text")]
    [InlineData("and auc > 1", 1, "unexpected-token")]
    public void A_slip_in_the_writing_is_shown_at_its_column(string text, int column, string code) => Refused(text, (column, code));

    [Theory]
    [InlineData("acu >= 0.6", 1, "unknown-figure")]
    [InlineData("n > 1 and auc.detla > 0", 15, "unknown-figure")]
    [InlineData("auc.low.high > 0", 9, "unknown-figure")]
    [InlineData("slices.hour.all(s, s.auc.delta > 0)", 26, "unknown-figure")]
    [InlineData("slices.hour.mean > 0", 1, "unknown-figure")]
    [InlineData("slices > 0", 1, "unknown-figure")]
    [InlineData("slices.hour.each(s, s.n > 1)", 1, "unknown-function")]
    [InlineData("max(s, auc > 1)", 1, "unknown-function")]
    [InlineData("auc", 1, "type-mismatch")]
    [InlineData("auc and ece > 0", 1, "type-mismatch")]
    [InlineData("not auc", 5, "type-mismatch")]
    [InlineData("auc > ece", 5, "type-mismatch")]
    [InlineData("auc - ece > 0", 5, "type-mismatch")]
    [InlineData("1 / auc > 0", 3, "type-mismatch")]
    [InlineData("auc > (n > 1)", 10, "type-mismatch")]
    [InlineData("auc > 'x'", 5, "type-mismatch")]
    [InlineData("auc + 'x' > 1", 7, "type-mismatch")]
    [InlineData("slices.hour.all(s, s > 1)", 20, "type-mismatch")]
    [InlineData("slices.hour.all(s, s.value > 1)", 28, "type-mismatch")]
    [InlineData("slices.hour.all(s, s.value == 7)", 28, "type-mismatch")]
    [InlineData("slices.hour.all(s, 1 + s.value > 7)", 24, "type-mismatch")]
    [InlineData("auc / 0 > 1", 5, "division-by-zero")]
    [InlineData("1 < 2", 3, "constant-condition")]
    [InlineData("auc > 0.5 or 1 < 2", 16, "constant-condition")]
    [InlineData("slices.hour.all(s, auc > 0.5)", 24, "constant-condition")]
    [InlineData("slices.hour.all(s, slices.hour.any(t, t.n > s.n))", 20, "nested-quantifier")]
    [InlineData("slices.hour.all(auc, auc.n > 1)", 17, "reserved-name")]
    public void A_wrong_name_or_type_is_shown_at_its_column(string text, int column, string code) => Refused(text, (column, code));

    [Fact]
    public void Names_and_types_are_all_reported_at_once_in_order() =>
        Refused("acu > 1 and auc > ece or slices.hour.all(s, s.bier > 1)", (1, "unknown-figure"), (17, "type-mismatch"), (47, "unknown-figure"));

    [Theory]
    [InlineData("acu > 1", "did you mean auc?")]
    [InlineData("auc.detla > 0", "did you mean delta?")]
    [InlineData("unit > 3", "did you mean units?")]
    [InlineData("auc = 0.6", "equality is written ==")]
    public void The_nearest_known_name_is_suggested(string text, string help) => Assert.Equal(help, Refused(text)[0].Help);

    [Fact]
    public void Only_what_is_declared_can_be_read()
    {
        var declared = GateVocabulary.Declared(["auc", "ece"], ["hour"]);
        Assert.True(GateExpression.TryParse("auc > 0.6 and ece_plain < 1 and slices.hour.count > 2", declared, out _, out _));
        Assert.False(GateExpression.TryParse("brier < 0.6 and slices.hours.all(s, s.auc > 0)", declared, out _, out var faults));
        Assert.Equal([(1, "unknown-figure"), (24, "unknown-slice")], faults.Select(fault => (fault.Column!.Value, fault.Code)));
        Assert.Equal(["add brier to evaluate.metrics", "did you mean hour?"], faults.Select(fault => fault.Help));
    }

    [Fact]
    public void Depth_and_length_are_bounded()
    {
        Refused(new string('(', 200) + "auc > 1" + new string(')', 200), (65, "too-deep"));
        Refused(string.Concat(Enumerable.Repeat("not ", 100)) + "auc > 1", (257, "too-deep"));
        Refused(new string('-', 100) + "auc > 1", (65, "too-deep"));
        Refused("auc > 1" + new string(' ', GateExpression.MaxLength), (1, "too-long"));
        var longest = "auc > 1" + string.Concat(Enumerable.Repeat(" or n > 1", 450));
        Assert.True(GateExpression.TryParse(longest, GateVocabulary.Any, out _, out _));
        Assert.True(GateExpression.TryParse(new string('(', 60) + "auc > 1" + new string(')', 60), GateVocabulary.Any, out _, out _));
    }

    [Fact]
    public void No_text_whatever_brings_the_parser_down()
    {
        string[] pieces = ["auc", "n", ".", "delta", "slices", "hour", "all", "(", ")", ",", "s", "and", "or", "not", ">=", "<", "-", "*", "/", "0.5", "5 %", "'x'", " ", "§"];
        var texts = Arb.From(Gen.ArrayOf(Gen.Elements(pieces)).Select(string.Concat));
        Check.QuickThrowOnFailure(Prop.ForAll(texts, text =>
        {
            var parsed = GateExpression.TryParse(text, GateVocabulary.Any, out _, out var faults);
            return parsed ? faults.IsEmpty : faults.Length > 0 && faults.All(fault => fault.Column >= 1 && fault.Column <= text.Length + 1);
        }));
    }

    private static ImmutableArray<Fault> Refused(string text, params (int Column, string Code)[] expected)
    {
        Assert.False(GateExpression.TryParse(text, GateVocabulary.Any, out _, out var faults));
        if (expected.Length > 0)
            Assert.Equal(expected, faults.Select(fault => (fault.Column!.Value, fault.Code)));
        Assert.Throws<SlipwayException>(() => GateExpression.Parse(text));
        return faults;
    }
}
