using System.Text;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Slipway.Documents.Checks;

namespace Slipway.Tests.Documents.Checks;

public class JUnitReportTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("<failure>&amp;]]>\"'")]
    [InlineData("\0\u0001\u001b[31m\ufffe\uffff\ud800x\u0085\n\ttext")]
    [InlineData("Zürich 東京 😀")]
    public void It_is_valid_by_the_published_schema_whatever_stands_in_it(string text) => Validate(JUnitReport.Write(CheckReports.With(text)));

    [Fact]
    public void The_schema_tells_a_wrong_report()
    {
        var text = Encoding.UTF8.GetString(JUnitReport.Write(CheckReports.With("x")));
        Assert.Throws<XmlSchemaValidationException>(() => Validate(Encoding.UTF8.GetBytes(text.Replace("<testcase", "<case").Replace("</testcase", "</case"))));
        Assert.Throws<XmlSchemaValidationException>(() => Validate(Encoding.UTF8.GetBytes(text.Replace(" tests=", " test="))));
    }

    [Fact]
    public void Each_verdict_is_what_the_systems_call_it()
    {
        var root = XDocument.Parse(Encoding.UTF8.GetString(JUnitReport.Write(CheckReports.With("what <was> found")))).Root!;
        Assert.Equal(("4", "1", "1", "1.250"), (root.Attribute("tests")!.Value, root.Attribute("failures")!.Value, root.Attribute("errors")!.Value, root.Attribute("time")!.Value));
        Assert.Equal(["spec", "expectations", "gates"], root.Elements("testsuite").Select(suite => suite.Attribute("name")!.Value));
        var cases = root.Descendants("testcase").ToList();
        Assert.Equal("what <was> found", cases[0].Element("system-out")!.Value);
        Assert.Equal(("expectation-broken", "what <was> found:3:4: what <was> found\n  → what <was> found"), (cases[1].Element("failure")!.Attribute("type")!.Value, cases[1].Element("failure")!.Value));
        Assert.NotNull(cases[2].Element("error"));
        Assert.Equal("what <was> found", cases[3].Element("skipped")!.Value);
    }

    [Fact]
    public void A_long_message_is_cut() =>
        Assert.InRange(JUnitReport.Write(CheckReports.With(new string('x', 1_000_000))).Length, 20_000, 400_000);

    private static void Validate(byte[] report)
    {
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, CheckCharacters = true };
        settings.Schemas.Add(null, Path.Combine(AppContext.BaseDirectory, "Documents/Checks/vectors/jenkins-junit.xsd"));
        using var reader = XmlReader.Create(new MemoryStream(report), settings);
        while (reader.Read())
        {
            // An invalid document throws.
        }
    }
}
