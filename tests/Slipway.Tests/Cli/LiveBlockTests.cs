using System.Text.RegularExpressions;
using Slipway.Cli;

namespace Slipway.Tests.Cli;

public sealed partial class LiveBlockTests
{
    [Fact]
    public void What_is_said_stands_above_and_the_block_stays_at_the_end()
    {
        var screen = new Screen();
        var block = new LiveBlock(colour: false);
        screen.Take(block.Frame([], ["· a  0:01", "  totals"], 80));
        screen.Take(block.Frame(["✓ a  1 s"], ["· b  0:01", "· c  0:01", "  totals"], 80));
        screen.Take(block.Frame(["✓ b  1 s", "✓ c  2 s"], ["  totals"], 80));
        Assert.Equal(["✓ a  1 s", "✓ b  1 s", "✓ c  2 s", "  totals", ""], screen.Lines);
        screen.Take(block.Frame([], [], 80));
        Assert.Equal(["✓ a  1 s", "✓ b  1 s", "✓ c  2 s", ""], screen.Lines);
    }

    [Fact]
    public void Nothing_is_written_when_nothing_changes()
    {
        var block = new LiveBlock(colour: false);
        Assert.NotEqual("", block.Frame([], ["· a  0:01"], 80));
        Assert.Equal("", block.Frame([], ["· a  0:01"], 80));
        Assert.NotEqual("", block.Frame([], ["· a  0:02"], 80));
        Assert.NotEqual("", block.Frame([], ["· a  0:02"], 79));
    }

    [Fact]
    public void What_a_person_types_is_gone_with_the_next_frame()
    {
        var screen = new Screen();
        var block = new LiveBlock(colour: false);
        screen.Take(block.Frame([], ["· a  0:01", "  totals"], 80));
        screen.Take("^C");
        screen.Take(block.Frame([], ["· a  0:02", "  stopping"], 80));
        Assert.Equal(["· a  0:02", "  stopping", ""], screen.Lines);
    }

    [Fact]
    public void A_terminal_that_became_narrower_has_broken_the_last_frame_into_more_rows()
    {
        var block = new LiveBlock(colour: false);
        block.Frame([], [new string('a', 75), new string('b', 75), "short"], 100);
        Assert.StartsWith("\r\u001b[5A\u001b[J", block.Frame([], ["a", "b", "short"], 50));
        Assert.StartsWith("\r\u001b[3A", block.Frame([], ["a", "b", "longer"], 50));
        block.Forget();
        Assert.DoesNotMatch(new Regex("\u001b\\[[0-9]+A"), block.Frame([], ["a"], 50));
    }

    [Fact]
    public void Nothing_that_is_said_moves_the_cursor_or_erases()
    {
        var block = new LiveBlock(colour: true);
        var frame = block.Frame(["✗ a: \u001b[2J\u001b]0;title\u0007\u009b1A"], ["· a  \u001b[1A\rover\nnext"], 80);
        Assert.Equal("\r\u001b[J\u001b[31m✗\u001b[0m a: \uFFFD[2J\uFFFD]0;title\uFFFD\uFFFD1A\n· a  \uFFFD[1A\uFFFDover\uFFFDnext\u001b[K\n\u001b[J", frame);
    }

    [Fact]
    public void Without_colour_there_is_none() => Assert.DoesNotContain("\u001b[3", new LiveBlock(colour: false).Frame(["✓ a", "✗ b", "↻ c"], [], 80));

    /// <summary>A terminal of endless size that knows the few sequences in use.</summary>
    private sealed partial class Screen
    {
        private int row, column;

        public List<string> Lines { get; } = [""];

        public void Take(string text)
        {
            foreach (Match token in Token().Matches(text))
            {
                switch (token.Value)
                {
                    case "\r":
                        column = 0;
                        break;
                    case "\n":
                        (row, column) = (row + 1, 0);
                        if (row == Lines.Count)
                            Lines.Add("");
                        break;
                    case "\u001b[J":
                        Lines[row] = Lines[row][..column];
                        Lines.RemoveRange(row + 1, Lines.Count - row - 1);
                        break;
                    case "\u001b[K":
                        Lines[row] = Lines[row][..column];
                        break;
                    case ['\u001b', '[', .. var count, 'A']:
                        row -= int.Parse(count);
                        Assert.True(row >= 0);
                        break;
                    default:
                        Lines[row] = Lines[row][..column] + token.Value + (Lines[row].Length > column + token.Length ? Lines[row][(column + token.Length)..] : "");
                        column += token.Length;
                        break;
                }
            }
        }

        [GeneratedRegex("\r|\n|\u001b\\[[0-9]*[A-Z]|[^\r\n\u001b]+")]
        private static partial Regex Token();
    }
}
