using System.Globalization;
using System.Text;
using System.Xml;

namespace Slipway.Documents.Checks;

/// <summary>A check as JUnit XML, which every system for continuous integration reads: a suite for each group, a case for each check.</summary>
/// <remarks>
/// Source: the schema that Jenkins published (dtkit's junit-4.xsd), whose elements GitLab and Azure Pipelines read too. No time of day: the same check gives the
/// same file but for its seconds.
/// </remarks>
public static class JUnitReport
{
    /// <summary>Characters of one message: systems cut longer ones, or refuse the file.</summary>
    private const int LongestText = 20_000;

    /// <returns>UTF-8 without a byte order mark.</returns>
    public static byte[] Write(CheckReport report)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, new XmlWriterSettings { Indent = true, NewLineChars = "\n", Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) }))
        {
            xml.WriteStartElement("testsuites");
            xml.WriteAttributeString("name", Plain($"slipway check{(report.Project is { } name ? " " + name : "")}"));
            Counts(xml, report.Checks, report.Seconds);
            foreach (var suite in report.Checks.GroupBy(check => check.Group))
                Suite(xml, suite.Key, [.. suite]);
            xml.WriteEndElement();
        }

        return bytes.ToArray();
    }

    private static void Suite(XmlWriter xml, CheckGroup group, IReadOnlyCollection<CheckResult> checks)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", group.Word());
        Counts(xml, checks, checks.Sum(check => check.Seconds));
        xml.WriteAttributeString("skipped", Count(checks, CheckVerdict.Skipped));
        foreach (var check in checks)
            Case(xml, check);
        xml.WriteEndElement();
    }

    private static void Counts(XmlWriter xml, IReadOnlyCollection<CheckResult> checks, double seconds)
    {
        xml.WriteAttributeString("tests", checks.Count.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("failures", Count(checks, CheckVerdict.Failed));
        xml.WriteAttributeString("errors", Count(checks, CheckVerdict.Error));
        xml.WriteAttributeString("time", Seconds(seconds));
    }

    private static void Case(XmlWriter xml, CheckResult check)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", $"slipway.{check.Group.Word()}");
        xml.WriteAttributeString("name", Plain(check.Name));
        xml.WriteAttributeString("time", Seconds(check.Seconds));
        switch (check.Verdict)
        {
            case CheckVerdict.Skipped:
                xml.WriteElementString("skipped", Plain(check.Message ?? ""));
                break;
            case CheckVerdict.Failed or CheckVerdict.Error:
                xml.WriteStartElement(check.Verdict == CheckVerdict.Failed ? "failure" : "error");
                xml.WriteAttributeString("message", Plain(check.Message ?? check.Faults.FirstOrDefault()?.Message ?? ""));
                xml.WriteAttributeString("type", Plain(check.Faults.FirstOrDefault()?.Code ?? check.Verdict.Word()));
                xml.WriteString(Plain(string.Join('\n', check.Faults.Select(fault => fault.Help is { } help ? $"{fault}\n  → {help}" : fault.ToString()))));
                xml.WriteEndElement();
                break;
            case CheckVerdict.Passed when check.Message is { } message:
                xml.WriteElementString("system-out", Plain(message));
                break;
        }

        xml.WriteEndElement();
    }

    private static string Count(IEnumerable<CheckResult> checks, CheckVerdict verdict) => checks.Count(check => check.Verdict == verdict).ToString(CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Without what XML 1.0 (section 2.2) has no way to write, and not longer than is read.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder(Math.Min(text.Length, LongestText));
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length >= LongestText)
                return plain.Append('…').ToString();
            if (rune.Value is '\n' or '\t' or >= 0x20 and not (>= 0x7F and < 0xA0 or 0xFFFE or 0xFFFF))
                plain.Append(rune.ToString());
            else
                plain.Append('\uFFFD');
        }

        return plain.ToString();
    }
}
