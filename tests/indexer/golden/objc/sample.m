#import <Foundation/Foundation.h>
#import "Boat.h"

static const int kOars = 8;

@protocol Floating <NSObject>
- (BOOL)isAfloat;
@end

@interface Boat : NSObject <Floating>
@property (nonatomic, copy) NSString *name;
- (instancetype)initWithName:(NSString *)name;
- (void)row:(int)strokes withForce:(double)force;
@end

@implementation Boat

// Gives the boat its name.
- (instancetype)initWithName:(NSString *)name {
    if ((self = [super init])) {
        _name = [name copy];
    }
    return self;
}

- (void)row:(int)strokes withForce:(double)force {
    for (int i = 0; i < strokes; i++) {
        NSLog(@"stroke %d of %@", i, self.name);
    }
}

+ (Boat *)dinghy {
    return [[Boat alloc] initWithName:@"dinghy"];
}

@end

int main(void) {
    @autoreleasepool {
        [[Boat dinghy] row:3 withForce:1.5];
    }
    return 0;
}
