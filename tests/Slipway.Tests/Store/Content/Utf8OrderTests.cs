using System.Text;
using Slipway.Store.Content;

namespace Slipway.Tests.Store.Content;

public sealed class Utf8OrderTests
{
    /// <summary>Of every length in UTF-8, at the ends of the ranges.</summary>
    private static readonly string[] characters = ["\0", "a", "z", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0001f600", "\U0010ffff"];

    [Fact]
    public void Names_are_in_the_order_of_their_bytes()
    {
        string[] names = ["", .. characters, .. characters.SelectMany(first => characters.Select(second => first + second)), .. characters.Select(last => "same/beginning" + last)];
        foreach (var one in names)
        {
            foreach (var other in names)
                Assert.Equal(Math.Sign(Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other))), Math.Sign(Utf8Order.Comparer.Compare(one, other)));
        }
    }
}
