using System.Text.RegularExpressions;
using Slipway.Documents.Checks;

namespace Slipway.Tests.Documents.Checks;

public partial class MarkdownSummaryTests
{
    [Fact]
    public void The_verdict_comes_first_and_the_rest_is_folded()
    {
        var text = MarkdownSummary.Write(CheckReports.With("found"));
        Assert.StartsWith("### ❌ slipway check of tiny: failed\n\n1 passed, 1 skipped, 1 failed, 1 could not be checked, in 1.3 s.", text);
        Assert.Contains("\n| ❌ failed | expectations: found | found | 0.20 |\n", text);
        Assert.Contains("<details><summary>Stages</summary>\n\n| stage | | seconds |\n| --- | --- | ---: |\n| found | executed | 0.50 |\n", text);
        Assert.Contains("| found | 10 | 3,000,000 |", text);
        Assert.Equal(Regex.Count(text, "<details>"), Regex.Count(text, "</details>"));
    }

    [Theory]
    [InlineData("<img src=x onerror=alert(1)>")]
    [InlineData("</summary></details><script>")]
    [InlineData("@everyone and @org/team")]
    [InlineData("closes #1, !2, $3, %4, ~bug, &5")]
    [InlineData("[click](https://evil.example) ![](https://evil.example/x.png)")]
    [InlineData("https://evil.example www.evil.example a@evil.example")]
    [InlineData("a | b | c\n\n# title\n- item\n```\ncode")]
    [InlineData("| --- |")]
    [InlineData(":tada: `x` **b** _i_ ~~s~~ \\| \u202e\u200bx")]
    public void Others_text_is_no_markup_no_link_and_no_mention(string foreign)
    {
        var text = MarkdownSummary.Write(CheckReports.With(foreign));
        var own = MarkdownSummary.Write(CheckReports.With(string.Join('\n', foreign.Split('\n').Select(_ => "x"))));
        Assert.Equal(Active().Count(own), Active().Count(text));
        Assert.Equal(own.Split('\n').Length, text.Split('\n').Length);
        Assert.Equal(own.Split('\n').Select(line => line.Count(c => c == '|')), text.Split('\n').Select(line => line.Count(c => c == '|')));
        Assert.DoesNotContain("@", text);
        Assert.DoesNotContain("://", text);
        Assert.DoesNotContain("www.", text);
    }

    [Fact]
    public void What_a_command_wrote_keeps_its_lines_below_the_table()
    {
        var text = MarkdownSummary.Write(CheckReports.With("first\nsecond"));
        Assert.Contains("first<br>second", text);
        Assert.Contains("first …", text);
    }

    [Fact]
    public void A_long_report_is_cut_with_what_is_open_closed()
    {
        var many = CheckReports.Of(Enumerable.Repeat(CheckVerdict.Failed, 5_000).ToArray());
        var text = MarkdownSummary.Write(many);
        Assert.InRange(text.Length, 50_000, 65_536);
        Assert.Equal(Regex.Count(text, "<details>"), Regex.Count(text, "</details>"));
        Assert.Contains("The rest is cut", text);
    }

    /// <summary>What a renderer acts on: tags, emphasis, code, brackets, references.</summary>
    [GeneratedRegex(@"<[a-z/!]|[*`\[\]~!$_\\]|(?<!&)#(?!#)(?=\d)")]
    private static partial Regex Active();
}
