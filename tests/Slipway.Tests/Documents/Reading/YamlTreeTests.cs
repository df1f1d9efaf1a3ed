using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Reading;

public sealed class YamlTreeTests
{
    [Fact]
    public void Every_value_has_its_place()
    {
        var root = Tree("a: 1\nb:\n  - 'x'\n  - { c: [\"y\", z] }\nd: |\n  text\n  more\n");
        Assert.Equal(
            "{a@1:1=1:Integer@1:4, b@2:1=[x:Text@3:5, {c@4:7=[y:Text@4:11, z:Text@4:16]@4:10}@4:5]@3:3, d@5:1=text|more|:Text@5:4}@1:1",
            Render(root));
    }

    [Fact]
    public void Line_ends_and_a_byte_order_mark_do_not_move_places()
    {
        var faults = new FaultList();
        var root = YamlTree.Read("f", [0xEF, 0xBB, 0xBF, .. "a: 1\r\nb: 2\r\n"u8], "spec", faults);
        Assert.Equal("{a@1:1=1:Integer@1:4, b@2:1=2:Integer@2:4}@1:1", Render(root));
        Assert.False(faults.Any);
    }

    [Theory]
    [InlineData("a: [1, 2\nb: 3\n", "yaml-syntax", 2, 1)]
    [InlineData("a: {b: 1\n", "yaml-syntax", 2, 1)]
    [InlineData("a: 'x\n", "yaml-syntax", 1, 4)]
    [InlineData("a: b: c\n", "yaml-syntax", 1, 5)]
    [InlineData("a:\n   b: 1\n  c: 2\n", "yaml-syntax", 3, 3)]
    [InlineData("a: @x\n", "yaml-syntax", 1, 4)]
    [InlineData("a:\n\tb: 1\n", "yaml-syntax", 2, 1)]
    [InlineData("a: \"\\q\"\n", "yaml-syntax", 1, 4)]
    [InlineData("a: \"\\uD800\"\n", "yaml-syntax", 1, 4)]
    [InlineData("a: \"\\uDC00x\"\n", "yaml-syntax", 1, 4)]
    [InlineData("a: \"\\U0000DC00\"\n", "yaml-syntax", 1, 4)]
    [InlineData("a: \"\\U00110000\"\n", "yaml-syntax", 1, 4)]
    [InlineData("a: 1\n---\nb: 2\n", "several-documents", 2, 1)]
    [InlineData("a: 1\n...\nb: 2\n", "several-documents", 3, 1)]
    [InlineData("a: 1\0b: 2\n", "control-character", 1, 5)]
    [InlineData("a: 1\n b\u001B[1m: 2\n", "control-character", 2, 3)]
    [InlineData("", "spec-empty", 1, 1)]
    public void Text_that_is_no_single_YAML_document_is_refused_with_its_place(string yaml, string code, int line, int column)
    {
        var thrown = Assert.Throws<SlipwayException>(() => Tree(yaml));
        Assert.Equal((ExitCode.UnusableInput, code, line, column), (thrown.Exit, thrown.Faults[0].Code, thrown.Faults[0].Line!.Value, thrown.Faults[0].Column!.Value));
    }

    [Fact]
    public void A_tab_is_told_as_a_tab() =>
        Assert.Contains("indented with a tab", Assert.Throws<SlipwayException>(() => Tree("a:\n\tb: 1\n")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a: &x 1\n", "yaml-anchor", 1, 4)]
    [InlineData("a: !!str 1\n", "yaml-tag", 1, 4)]
    [InlineData("a: !ruby/object {}\n", "yaml-tag", 1, 4)]
    [InlineData("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1)]
    [InlineData("? [a]\n: 1\n", "bad-name", 1, 3)]
    [InlineData("'': 1\n", "bad-name", 1, 1)]
    [InlineData("a: \"x\\0\"\n", "control-character", 1, 4)]
    public void What_YAML_allows_and_a_spec_does_not_is_refused(string yaml, string code, int line, int column)
    {
        var faults = new FaultList();
        YamlTree.Read("f", Encoding.UTF8.GetBytes(yaml), "spec", faults);
        Assert.Equal((code, line, column), faults.InOrder.Select(fault => (fault.Code, fault.Line!.Value, fault.Column!.Value)).Single());
    }

    [Fact]
    public void A_bomb_of_aliases_is_refused_alias_by_alias()
    {
        const string bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd:\n  <<: *c\n";
        var faults = new FaultList();
        YamlTree.Read("f", Encoding.UTF8.GetBytes(bomb), "spec", faults);
        Assert.Equal(9, faults.InOrder.Count);
        Assert.All(faults.InOrder, fault => Assert.Equal("yaml-anchor", fault.Code));
    }

    [Fact]
    public void An_emoji_written_as_an_escaped_pair_is_text() =>
        Assert.Equal("{a@1:1=🙂:Text@1:4}@1:1", Render(Tree("a: \"\\uD83D\\uDE42\"\n")));

    [Theory]
    [InlineData(31, null)]
    [InlineData(32, "too-deep")]
    [InlineData(100_000, "too-deep")]
    public void Nesting_is_bounded(int lists, string? code)
    {
        var thrown = Record.Exception(() => Tree("a: " + new string('[', lists) + new string(']', lists)));
        Assert.Equal(code, (thrown as SlipwayException)?.Faults.Single().Code);
    }

    [Fact]
    public void Size_is_bounded()
    {
        Tree("a: 1 #" + new string('x', UserFile.MostBytes - 6));
        Assert.Equal("spec-too-large", Assert.Throws<SlipwayException>(() => Tree("a: 1 #" + new string('x', UserFile.MostBytes - 5))).Faults.Single().Code);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_with_their_place()
    {
        var fault = Assert.Throws<SlipwayException>(() => YamlTree.Read("f", [.. "a: 1\nb: x"u8, 0xFF, .. "y\n"u8], "spec", new FaultList())).Faults.Single();
        Assert.Equal(("not-utf8", 2, 5), (fault.Code, fault.Line!.Value, fault.Column!.Value));
    }

    [Fact]
    public void Broken_text_ends_in_a_fault_and_never_in_anything_else() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(ArbMap.Default.ArbFor<DoNotSize<int>>(), seed =>
    {
        var random = new Random(seed.Item);
        const string alphabet = "[]{}:,-?&*!|>'\"%@`#~ \n\t.ax1\\";
        var text = new StringBuilder(Documents.Specs.SpecText.Small);
        for (var i = random.Next(1, 12); i > 0; i--)
        {
            var at = random.Next(text.Length);
            _ = random.Next(3) switch
            {
                0 => text.Remove(at, Math.Min(text.Length - at, random.Next(1, 20))),
                1 => text.Insert(at, alphabet[random.Next(alphabet.Length)]),
                _ => text.Replace(text[at], alphabet[random.Next(alphabet.Length)], at, 1),
            };
        }

        try
        {
            Documents.Specs.SpecText.Parse(text.ToString());
        }
        catch (SlipwayException e)
        {
            Assert.All(e.Faults, fault => Assert.True(fault is { Line: > 0, Column: > 0, File: not null } || fault.Code == "more-faults"));
        }
    }));

    private static Node Tree(string yaml) => YamlTree.Read("f", Encoding.UTF8.GetBytes(yaml), "spec", new FaultList());

    private static string Render(Node node) => node switch
    {
        ScalarNode scalar => $"{scalar.Text.Replace('\n', '|')}:{scalar.Kind}",
        ListNode list => $"[{string.Join(", ", list.Items.Select(Render))}]",
        MapNode map => $"{{{string.Join(", ", map.Entries.Select(entry => $"{entry.Key}@{entry.KeyAt.Line}:{entry.KeyAt.Column}={Render(entry.Value)}"))}}}",
        _ => "broken",
    } + $"@{node.At.Line}:{node.At.Column}";
}
